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

// keyService asks the library for keys, and remembers why it got none.
type keyService struct {
	keyservice.LocalClient
	ctx    context.Context
	failed []string
}

// Decrypt implements keyservice.KeyServiceClient.
func (s *keyService) Decrypt(_ context.Context, req *keyservice.DecryptRequest, _ ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
	resp, err := s.LocalClient.Decrypt(s.ctx, req) //nolint:contextcheck // the library hands on a context of its own making
	if err != nil {
		s.failed = append(s.failed, reason(err))
	}
	return resp, err
}

// Encrypt implements keyservice.KeyServiceClient.
func (s *keyService) Encrypt(_ context.Context, req *keyservice.EncryptRequest, _ ...grpc.CallOption) (*keyservice.EncryptResponse, error) {
	return s.LocalClient.Encrypt(s.ctx, req) //nolint:contextcheck // likewise
}

var privateKey = regexp.MustCompile(`AGE-(SECRET-KEY|PLUGIN)-[A-Z0-9-]+`)

// reason is the library's text in one line, without what could be a key.
func reason(err error) string {
	return privateKey.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "[key]")
}

// dataKey decrypts the key that the values are encrypted with, by any of the keys that can be found.
func dataKey(ctx context.Context, tree *sops.Tree) ([]byte, error) {
	service := &keyService{LocalClient: keyservice.NewLocalClient(), ctx: ctx}
	type result struct {
		key []byte
		err error
	}
	got := make(chan result, 1)
	metadata := tree.Metadata
	go func() { // a key that is far away, or behind a password, cannot be interrupted; the wait for it can
		var r result
		r.err = safely(func() (err error) {
			r.key, err = metadata.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{service}, sops.DefaultDecryptionOrder)
			return err
		})
		got <- r
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("get the key of the secrets: %w", context.Cause(ctx))
	case r := <-got:
		if r.err != nil {
			return nil, noKey(tree.Metadata, service.failed, r.err)
		}
		tree.Metadata.DataKey = r.key
		return r.key, nil
	}
}

// noKey says for whom the file is encrypted, and where keys were searched for.
func noKey(m sops.Metadata, failed []string, err error) error {
	var file *FileError
	if errors.As(err, &file) {
		return err
	}
	problem := "no key here decrypts it; it is encrypted for " + list(recipients(m.KeyGroups))
	if m.ShamirThreshold > 1 {
		problem = fmt.Sprintf("too few keys here decrypt it: it wants keys of %d groups, of these: %s", m.ShamirThreshold, list(recipients(m.KeyGroups)))
	}
	var searched []string
	if hasType(m, age.KeyTypeIdentifier) {
		searched = ageKeyLocations()
	}
	for _, text := range failed {
		if !strings.Contains(text, "did not match any of the recipients") && !strings.Contains(text, "no identity matched any of the recipients") && !strings.Contains(text, "failed to load age identities") {
			searched = append(searched, text)
		}
	}
	advice := "put a key of one of them where it is searched for, or have somebody who has one add yours to .sops.yaml and run norn secrets rotate"
	if hasType(m, age.KeyTypeIdentifier) {
		advice = "set SOPS_AGE_KEY_FILE to a file with a key of one of them, or have somebody who has one add yours to .sops.yaml and run norn secrets rotate"
	}
	return &FileError{Problem: problem, Advice: advice, NoKey: true, Searched: slices.Compact(searched)}
}

func hasType(m sops.Metadata, identifier string) bool {
	return slices.ContainsFunc(m.KeyGroups, func(g sops.KeyGroup) bool {
		return slices.ContainsFunc(g, func(k keys.MasterKey) bool { return k.TypeToIdentifier() == identifier })
	})
}

// recipients are those who can decrypt a file, by the type and name of their keys.
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
