package offline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// backgroundQuery is the query for a terminal's background.
const backgroundQuery = "\x1b]11;?"

// statusAt runs norn status, which prints several tables, at a terminal with 256 colors.
func statusAt(t *testing.T, env ...string) *screen {
	t.Helper()
	bed.Norn(t)
	home := bed.EmptyHome(t)
	spec := filepath.Join(home, "shop", "infraspec.yaml")
	if err := os.Mkdir(filepath.Dir(spec), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spec, []byte("app: shop\nrole: worker\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	known := []string{
		"TERM=xterm-256color", "HOME=" + home, "NORN_APPS_DIR=" + home, "KUBECONFIG=", "NO_COLOR=", "COLORFGBG=",
		"SSH_CONNECTION=", "SSH_TTY=", "COLORTERM=",
	}
	return newScreen(t, home, append(append(os.Environ(), known...), env...), "status")
}

// norn asks a terminal that does not answer only once, and does not wait long. It asks only if it needs the answer.
func TestSilentTerminal(t *testing.T) {
	for env, queries := range map[string]int{
		"": 1, "NO_COLOR=1": 0, "TERM=dumb": 0, "TERM=vt100": 0, "COLORFGBG=0;15": 0, "CI=true": 0, "SSH_TTY=/dev/pts/0": 0,
	} {
		for again := range 3 { // a busy machine may be slow once
			began := time.Now()
			s := statusAt(t, env)
			s.ends(0)
			s.await("shop")
			if n := strings.Count(s.shown(), backgroundQuery); n != queries {
				t.Errorf("%q: %d queries, want %d:\n%q", env, n, queries, s.shown())
			}
			took := time.Since(began)
			if took < 4*time.Second { // the library waits 5 seconds for each answer
				break
			}
			if again == 2 {
				t.Errorf("%q: norn took over 4 seconds three times in a row, at last %s", env, took)
			}
		}
	}
}

// The terminal's answer selects the colors, and is not shown.
func TestAnsweringTerminal(t *testing.T) {
	for answer, gray := range map[string]string{"ffff/ffff/ffff": "38;5;243m", "0000/2b2b/3636": "38;5;245m"} {
		understood := false
		for range 10 { // on a busy machine, the answer may be late
			s := statusAt(t)
			s.await(backgroundQuery)
			s.typing("\x1b]11;rgb:" + answer + "\x1b\\\x1b[?62;22c")
			s.ends(0)
			s.await("shop")
			shown := s.shown()
			if strings.Count(shown, backgroundQuery) != 1 {
				t.Fatalf("%q", shown)
			}
			if understood = strings.Contains(shown, gray) && !strings.Contains(shown, answer); understood {
				break
			}
		}
		if !understood {
			t.Errorf("norn did not read the answer %s", answer)
		}
	}
}
