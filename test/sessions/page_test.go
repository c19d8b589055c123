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

// playPage implements the script command play PAGE. It follows a page of docs/ in the working folder:
//
//   - It writes a block below a line `name`: to the file of that name.
//   - In a console block, it runs each line that begins with "$ ", all in one bash. The terminal must then show the
//     lines below it, apart from details that differ each time. A line "…" stands for any number of lines.
//   - A command may fail only if the next command is echo $?.
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

// pageBlock is a fenced block of a page, to write or to run.
type pageBlock struct {
	file, text string // file is "" for a console block
	line       int    // number of its first line in the page
}

var fileName = regexp.MustCompile("^`([^`]+)`:$")

// pageBlocks returns a page's console blocks, and the blocks below a file name.
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

// pageShell is a bash whose output, but not its input, is a terminal.
type pageShell struct {
	in  io.Writer
	tty *os.File
}

func startShell() (*pageShell, error) {
	cmd := exec.Command("bash")
	cmd.Env = append(os.Environ(), "TERM=screen", "NO_COLOR=1") // norn does not query this terminal for its colors
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

// mark ends a command's output. The command's exit code follows it.
const mark = "-- exit code "

var marked = regexp.MustCompile(mark + `(\d+)\r?\n`)

// run runs a command in the shell and returns the screen's text and the exit code.
func (s *pageShell) run(command string) (string, int, error) {
	const line = "{ %s\n} </dev/null; code=$?; echo '%s'$code; (exit $code)\n"
	if _, err := fmt.Fprintf(s.in, line, command, mark); err != nil {
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

// write writes a file to the shell's current folder.
func (s *pageShell) write(name, text string) error {
	dir, _, err := s.run("pwd")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(strings.TrimSpace(dir), name), []byte(text), 0o644)
}

// play runs the commands of a console block and returns the differences from the page.
func (s *pageShell) play(text string) (problems []string, err error) {
	turns := strings.Split("\n"+text, "\n$ ")[1:]
	for i, turn := range turns {
		command, want, _ := strings.Cut(turn, "\n")
		namespace := "/namespaces/" + os.Getenv("NAMESPACE") + "/"
		got, code, err := s.run(strings.ReplaceAll(command, "/namespaces/default/", namespace))
		if err != nil {
			return problems, err
		}
		fmt.Printf("$ %s\n%s", command, got)
		if !shows(got, want) {
			problems = append(problems, fmt.Sprintf("$ %s\nshows\n%s\nwant\n%s", command, normalized(got), normalized(want)))
		}
		codeShown := i+1 < len(turns) && strings.HasPrefix(turns[i+1], "echo $?\n")
		if code != 0 && !codeShown && command != "echo $?" {
			problems = append(problems, fmt.Sprintf("$ %s\nexit code %d, which the page does not show", command, code))
		}
	}
	return problems, nil
}

// screenAfter returns the lines on a terminal after it has received written, without trailing blanks. It supports only
// the escapes that norn uses.
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

// shows reports whether the terminal's text matches the page.
func shows(got, want string) bool {
	var pattern strings.Builder
	pattern.WriteString(`^`)
	for line := range strings.Lines(normalized(want)) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line))
		}
	}
	return regexp.MustCompile(pattern.String() + `$`).MatchString(normalized(got))
}

// varying maps details that differ each time to their replacements.
var varying = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(` \(\d[\dms.]*\)\n`), "\n"},        // the time of a step, which norn omits if it is short
	{regexp.MustCompile(`(?m)^done in [\dms.]+$`), "done"}, // the time of a run; likewise
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
	{regexp.MustCompile(`[ \t]+`), " "}, // widths of columns
}

// normalized returns text with these details replaced.
func normalized(text string) string {
	text = strings.TrimRight(text, "\n") + "\n"
	if ns := os.Getenv("NAMESPACE"); ns != "" {
		text = strings.ReplaceAll(text, ns, "default")
	}
	text = strings.ReplaceAll(text, os.Getenv("HOME"), "/home/ada")
	text = regexp.MustCompile(`\b`+regexp.QuoteMeta(lease.CurrentUser())+`\b`).ReplaceAllString(text, "ada")
	for _, u := range varying {
		text = u.pattern.ReplaceAllString(text, u.replacement)
	}
	return text
}
