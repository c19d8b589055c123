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

// keyService decrypts data keys with the library and records why it failed.
type keyService struct {
	keyservice.LocalClient
	ctx    context.Context
	failed []string // the library's errors
}

// Decrypt implements keyservice.KeyServiceClient.
func (s *keyService) Decrypt(
	_ context.Context, req *keyservice.DecryptRequest, _ ...grpc.CallOption,
) (*keyservice.DecryptResponse, error) {
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
	return s.LocalClient.Encrypt(s.ctx, req) //nolint:contextcheck // as in Decrypt
}

var privateKey = regexp.MustCompile(`AGE-(SECRET-KEY|PLUGIN)-[A-Z0-9-]+`)

// reason returns the library's error on one line, without anything that could be a private key.
func reason(err error) string {
	return privateKey.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "[key]")
}

// dataKey decrypts the data key, which encrypts the values, with any available key.
func dataKey(ctx context.Context, tree *sops.Tree) ([]byte, error) {
	service := &keyService{LocalClient: keyservice.NewLocalClient(), ctx: ctx}
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
			return nil, noKey(tree.Metadata, service.failed, r.err)
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
func noKey(m sops.Metadata, failed []string, err error) error {
	var file *FileError
	if errors.As(err, &file) {
		return err
	}
	problem := "no available key can decrypt it; it is encrypted for " + list(recipients(m.KeyGroups))
	if m.ShamirThreshold > 1 {
		problem = fmt.Sprintf("too few available keys can decrypt it: it needs keys of %d groups, from: %s",
			m.ShamirThreshold, list(recipients(m.KeyGroups)))
	}
	var searched []string
	if hasType(m, age.KeyTypeIdentifier) {
		searched = ageKeyLocations()
	}
	for _, text := range failed {
		if !slices.ContainsFunc(noMatch, func(part string) bool { return strings.Contains(text, part) }) {
			searched = append(searched, text)
		}
	}
	advice := "install a key of one of them"
	if hasType(m, age.KeyTypeIdentifier) {
		advice = "set SOPS_AGE_KEY_FILE to a file with a key of one of them"
	}
	advice += ", or ask one of them to add your key to .sops.yaml and run norn secrets rotate"
	return &FileError{Problem: problem, Advice: advice, NoKey: true, Searched: slices.Compact(searched)}
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
