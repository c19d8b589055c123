package secrets

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// For any damaged file, reading neither panics nor returns an error without the file's name. Go's fuzzer makes no
// progress here, because it instruments all of SOPS' dependencies.
func TestOpenMutations(t *testing.T) {
	path, text := sampleFile(t)
	seeds := []string{
		text, everything, "a: !!binary x\n" + text, "a: [1, {b: c}]\n" + text, "? [a]\n: b\n" + text, "sops: []\n",
		"---\n" + text + "---\na: b\n", "&a {b: *a}\n",
	}
	pieces := []string{
		": ", "- ", "&a ", "*a", "#", "\n", "\n  ", "!!binary ", "|", ">", "{", "}", "[", "type:bytes]", "type:comment]",
		"null", "? ", "<<: ",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		data := []byte(seeds[rng.IntN(len(seeds))])
		for range 1 + rng.IntN(6) {
			i := rng.IntN(len(data))
			switch rng.IntN(4) {
			case 0:
				data[i] ^= 1 << rng.IntN(8)
			case 1:
				data = slices.Delete(data, i, min(len(data)-1, i+rng.IntN(40)+1))
			case 2:
				j := rng.IntN(len(data))
				data = slices.Insert(data, i, slices.Clone(data[j:min(len(data), j+rng.IntN(60))])...)
			case 3:
				data = slices.Insert(data, i, []byte(pieces[rng.IntN(len(pieces))])...)
			}
		}
		_, err := decrypt(t.Context(), path, data, false)
		if file := (*FileError)(nil); err != nil && (!errors.As(err, &file) || file.Path == "") {
			t.Errorf("%v", err)
		}
		_, _ = (&File{hidden: map[string]bool{}}).Replace(data)
	}
}
