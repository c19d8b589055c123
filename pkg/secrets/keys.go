package secrets

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/keys"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/pgp"
	"google.golang.org/grpc"
)

// keyService decrypts data keys with the library and records why it failed. It refuses addresses that the user does not
// trust.
type keyService struct {
	keyservice.LocalClient
	ctx     context.Context
	local   bool          // ask no service in a network
	unasked bool          // because of local
	refused *refusedError // the first one
	failed  []string      // the library's errors
}

// check returns an error if the service of a key must not be asked.
func (s *keyService) check(key *keyservice.Key) error {
	if s.local && inNetwork(key) {
		s.unasked = true
		return errNotAsked
	}
	err := checkAddress(key)
	if refused, ok := errors.AsType[*refusedError](err); ok && s.refused == nil {
		s.refused = refused
	}
	return err
}

// Decrypt implements keyservice.KeyServiceClient.
func (s *keyService) Decrypt(
	_ context.Context, req *keyservice.DecryptRequest, _ ...grpc.CallOption,
) (*keyservice.DecryptResponse, error) {
	if err := s.check(req.GetKey()); err != nil {
		return nil, err
	}
	resp, err := s.LocalClient.Decrypt(s.ctx, req) //nolint:contextcheck // the library passes a context of its own
	if err != nil {
		s.failed = append(s.failed, reason(err))
	}
	return resp, err
}

// Encrypt implements keyservice.KeyServiceClient.
func (s *keyService) Encrypt(
	_ context.Context, req *keyservice.EncryptRequest, _ ...grpc.CallOption,
) (*keyservice.EncryptResponse, error) {
	if err := s.check(req.GetKey()); err != nil {
		return nil, err
	}
	return s.LocalClient.Encrypt(s.ctx, req) //nolint:contextcheck // as in Decrypt
}

var privateKey = regexp.MustCompile(`AGE-(SECRET-KEY|PLUGIN)-[A-Z0-9-]+`)

// reason returns the library's error on one line, without anything that could be a private key.
func reason(err error) string {
	return privateKey.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "[key]")
}

// dataKey decrypts the data key, which encrypts the values, with any available key. If local, it asks no key service in
// a network.
func dataKey(ctx context.Context, tree *sops.Tree, local bool) ([]byte, error) {
	service := &keyService{LocalClient: keyservice.NewLocalClient(), ctx: ctx, local: local}
	type result struct {
		key []byte
		err error
	}
	got := make(chan result, 1)
	metadata := tree.Metadata
	go func() { // the wait for a remote key or a passphrase can be interrupted, the library's call cannot
		var r result
		r.err = safely(func() (err error) {
			services := []keyservice.KeyServiceClient{service}
			r.key, err = metadata.GetDataKeyWithKeyServices(services, sops.DefaultDecryptionOrder)
			return err
		})
		got <- r
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("get the key for the secrets: %w", context.Cause(ctx))
	case r := <-got:
		if r.err != nil {
			return nil, noKey(tree.Metadata, service, r.err)
		}
		tree.Metadata.DataKey = r.key
		return r.key, nil
	}
}

// noMatch lists the library's errors for keys that do not match. The list of locations already shows those keys.
var noMatch = []string{
	"did not match any of the recipients", "no identity matched any of the recipients", "failed to load age identities",
}

// noKey returns a *FileError that names the recipients of the file and the places where norn searched for keys.
func noKey(m sops.Metadata, service *keyService, err error) error {
	var file *FileError
	if errors.As(err, &file) {
		return err
	}
	problem := "no available key can decrypt it; it is encrypted for " + list(recipients(m.KeyGroups))
	if m.ShamirThreshold > 1 {
		problem = fmt.Sprintf("too few available keys can decrypt it: it needs keys of %d groups, from: %s",
			m.ShamirThreshold, list(recipients(m.KeyGroups)))
	}
	if service.unasked {
		problem = "no key on this machine can decrypt it, and this command asks no key service; it is encrypted for " +
			list(recipients(m.KeyGroups))
	}
	var searched []string
	if hasType(m, age.KeyTypeIdentifier) {
		searched = ageKeyLocations()
	}
	for _, text := range service.failed {
		if !slices.ContainsFunc(noMatch, func(part string) bool { return strings.Contains(text, part) }) {
			searched = append(searched, text)
		}
	}
	advice := "install a key of one of them"
	if hasType(m, age.KeyTypeIdentifier) {
		advice = "set SOPS_AGE_KEY_FILE to a file with a key of one of them"
	}
	advice += ", or ask one of them to add your key to .sops.yaml and run norn secrets rotate"
	if service.refused != nil {
		problem += "; " + reason(service.refused)
		advice = service.refused.advice
	}
	return &FileError{
		Problem: problem, Advice: advice, NoKey: true, Unasked: service.unasked, Searched: slices.Compact(searched),
	}
}

func hasType(m sops.Metadata, identifier string) bool {
	return slices.ContainsFunc(m.KeyGroups, func(g sops.KeyGroup) bool {
		return slices.ContainsFunc(g, func(k keys.MasterKey) bool { return k.TypeToIdentifier() == identifier })
	})
}

// recipients returns the keys that can decrypt a file, each as type and name.
func recipients(groups []sops.KeyGroup) []string {
	var out []string
	for _, group := range groups {
		for _, k := range group {
			name := k.TypeToIdentifier() + " " + k.ToString()
			if k.TypeToIdentifier() == pgp.KeyTypeIdentifier {
				name = "PGP " + k.ToString()
			}
			out = append(out, name)
		}
	}
	return out
}

func list(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}
