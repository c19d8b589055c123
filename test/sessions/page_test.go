package sessions

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"

	"norn/pkg/k8s/lease"
)

// playPage is the program play PAGE of the sessions: it does what a page of docs/ tells its readers to do, in the
// working folder. A block under a line that is no more than `name`: is written to that file. Of a block of the language
// console, each line that begins with "$ " is given to one bash, and what the terminal then shows must be the lines
// below, apart from what differs every time. A line "…" stands for any number of lines. A command may fail only if the
// next one is echo $?.
func playPage() {
	log.SetFlags(0)
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	sh, err := startShell()
	if err != nil {
		log.Fatal(err)
	}
	blocks := pageBlocks(string(text))
	differs := false
	for _, b := range blocks {
		if b.file != "" {
			err = sh.write(b.file, b.text)
		} else {
			var problems []string
			problems, err = sh.play(b.text)
			for _, problem := range problems {
				differs = true
				log.Printf("%s, from line %d on: %s", filepath.Base(os.Args[1]), b.line, problem)
			}
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	if differs {
		os.Exit(1)
	}
}

// pageBlock is a fenced block of a page that is acted on.
type pageBlock struct {
	file, text string // file is "" for a console's
	line       int    // of its first line in the page
}

var fileName = regexp.MustCompile("^`([^`]+)`:$")

// pageBlocks are a page's blocks of the language console, and those with a file's name above them.
func pageBlocks(text string) []pageBlock {
	var out []pageBlock
	var b *pageBlock
	above := ""
	for i, line := range strings.SplitAfter(text, "\n") {
		bare := strings.TrimRight(line, "\n")
		switch {
		case b == nil && strings.HasPrefix(bare, "```"):
			b = &pageBlock{line: i + 2}
			if name := fileName.FindStringSubmatch(above); name != nil {
				b.file = name[1]
			} else if bare != "```console" {
				b.line = 0
			}
		case b != nil && bare == "```":
			if b.line > 0 {
				out = append(out, *b)
			}
			b, above = nil, ""
		case b != nil:
			b.text += line
		case bare != "":
			above = bare
		}
	}
	return out
}

// pageShell is a bash whose output goes to a terminal, and whose input does not come from it.
type pageShell struct {
	in  io.Writer
	tty *os.File
}

func startShell() (*pageShell, error) {
	cmd := exec.Command("bash")
	cmd.Env = append(os.Environ(), "TERM=screen", "NO_COLOR=1") // a terminal that is not asked for its colours
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	tty, other, err := pty.Open()
	if err != nil {
		return nil, err
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 50, Cols: 130}); err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = other, other
	return &pageShell{in, tty}, cmd.Start()
}

// mark ends a command's output; the command's exit code follows.
const mark = "-- exit code "

var marked = regexp.MustCompile(mark + `(\d+)\r?\n`)

// run gives the shell a command and returns what it shows, and its exit code.
func (s *pageShell) run(command string) (string, int, error) {
	if _, err := fmt.Fprintf(s.in, "{ %s\n} </dev/null; code=$?; echo '%s'$code; (exit $code)\n", command, mark); err != nil {
		return "", 0, err
	}
	var got bytes.Buffer
	buf := make([]byte, 4096)
	for {
		n, err := s.tty.Read(buf)
		got.Write(buf[:n])
		if m := marked.FindStringSubmatch(got.String()); m != nil {
			code, err := strconv.Atoi(m[1])
			return screenAfter(strings.TrimSuffix(got.String(), m[0])), code, err
		}
		if err != nil {
			return "", 0, fmt.Errorf("%s: the shell has ended: %w\n%s", command, err, got.String())
		}
	}
}

// write puts a file into the folder where the shell is.
func (s *pageShell) write(name, text string) error {
	dir, _, err := s.run("pwd")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(strings.TrimSpace(dir), name), []byte(text), 0o644)
}

// play runs a console's commands, and returns where what they show is not what the page says.
func (s *pageShell) play(text string) (problems []string, err error) {
	turns := strings.Split("\n"+text, "\n$ ")[1:]
	for i, turn := range turns {
		command, want, _ := strings.Cut(turn, "\n")
		got, code, err := s.run(strings.ReplaceAll(command, "/namespaces/default/", "/namespaces/"+os.Getenv("NAMESPACE")+"/"))
		if err != nil {
			return problems, err
		}
		fmt.Printf("$ %s\n%s", command, got)
		if !shows(got, want) {
			problems = append(problems, fmt.Sprintf("$ %s\nshows\n%s\nand not\n%s", command, steady(got), steady(want)))
		}
		if asked := i+1 < len(turns) && strings.HasPrefix(turns[i+1], "echo $?\n"); code != 0 && !asked && command != "echo $?" {
			problems = append(problems, fmt.Sprintf("$ %s\nends with exit code %d, and the page does not say so", command, code))
		}
	}
	return problems, nil
}

// screenAfter is what a terminal shows after this, in lines without trailing blanks; it knows what norn does to one, and nothing more.
func screenAfter(written string) string {
	lines, at := []string{""}, 0
	for rest := strings.ReplaceAll(written, "\r\n", "\n"); rest != ""; {
		up := cursorUp.FindStringSubmatch(rest)
		switch {
		case up != nil:
			n, _ := strconv.Atoi("0" + up[1])
			at = max(0, at-max(1, n))
			rest = rest[len(up[0]):]
		case strings.HasPrefix(rest, "\r\x1b[J"):
			lines = append(lines[:at], "")
			rest = rest[len("\r\x1b[J"):]
		case rest[0] == '\n':
			if at++; at == len(lines) {
				lines = append(lines, "")
			}
			rest = rest[1:]
		default:
			end := strings.IndexAny(rest[1:], "\n\x1b\r")
			if end < 0 {
				end = len(rest) - 1
			}
			lines[at] += rest[:1+end]
			rest = rest[1+end:]
		}
	}
	for i := range lines {
		lines[i] = strings.TrimRight(ansi.Strip(lines[i]), " \r")
	}
	return strings.Join(lines, "\n")
}

var cursorUp = regexp.MustCompile(`^\x1b\[(\d*)A`)

// shows reports whether a terminal shows what a page says.
func shows(got, want string) bool {
	var pattern strings.Builder
	pattern.WriteString(`^`)
	for line := range strings.Lines(steady(want)) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line))
		}
	}
	return regexp.MustCompile(pattern.String() + `$`).MatchString(steady(got))
}

// unsteady is what is another in every run, and what stands for it.
var unsteady = []struct {
	is *regexp.Regexp
	as string
}{
	{regexp.MustCompile(` \(\d[\dms.]*\)\n`), "\n"},        // a step's time, which is left out where it is short
	{regexp.MustCompile(`(?m)^done in [\dms.]+$`), "done"}, // a run's, likewise
	{regexp.MustCompile(`sha256:[0-9a-f]+…?`), "sha256:DIGEST"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "COMMIT"},
	{regexp.MustCompile(`\b[0-9a-f]{7}\b`), "COMMIT"},
	{regexp.MustCompile(`\bage1[0-9a-z]+`), "RECIPIENT"},
	{regexp.MustCompile(`\b127\.0\.0\.1:\d+`), "REGISTRY"},
	{regexp.MustCompile(`\b\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d(:\d\d)?Z?`), "TIME"},
	{regexp.MustCompile(`-[0-9a-z]{8,10}-[0-9a-z]{5}\b`), "-POD"},
	{regexp.MustCompile(`(?m)^[0-9a-z]{1,5} TIME`), "POD TIME"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ms|s|m|h|d)\b`), "SPAN"},
	{regexp.MustCompile(`\d+ of \d+ images (?:on|from) this machine`), "N images"},
	{regexp.MustCompile(`[ \t]+`), " "}, // columns
}

// steady is a text without what is another in every run.
func steady(text string) string {
	text = strings.TrimRight(text, "\n") + "\n"
	if ns := os.Getenv("NAMESPACE"); ns != "" {
		text = strings.ReplaceAll(text, ns, "default")
	}
	text = strings.ReplaceAll(text, os.Getenv("HOME"), "/home/ada")
	text = regexp.MustCompile(`\b`+regexp.QuoteMeta(lease.CurrentUser())+`\b`).ReplaceAllString(text, "ada")
	for _, u := range unsteady {
		text = u.is.ReplaceAllString(text, u.as)
	}
	return text
}
