package scaffold

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// localURL matches the address of the container itself in a check.
var localURL = regexp.MustCompile(`https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])` +
	`(?::([0-9]{1,5}))?(/[^\s"'|;&]*)?`)

// health converts a check. A request of curl or wget to the container itself becomes a path, which needs no program in
// the image.
func (c *composeFile) health(w *workload, n *yaml.Node, key string) {
	test := at(n, "test")
	words := items(test)
	if truth(at(n, "disable")) || test == nil || len(words) > 0 && word(words[0]) == "NONE" {
		return
	}
	start := c.seconds(at(n, "start_period"), key+".start_period", time.Second)
	every := c.seconds(at(n, "interval"), key+".interval", time.Second)
	command := c.line(test, key+".test")
	if command == nil {
		return
	}
	if checkPath, port, ok := request(joinedWords(words)); ok && (port == w.port || w.port > 0 && port == 80) {
		if port != w.port {
			c.note(test, key+".test", "it asks port 80, and the process has port %d; the check now asks that", w.port)
		}
		w.health = w.check(checkPath, 0, start, every)
		return
	} else if ok {
		w.health = w.check(checkPath, port, start, every)
		return
	}
	if command.Kind == yaml.SequenceNode && test.Kind == yaml.SequenceNode {
		switch command.Content[0].Value {
		case "CMD":
			command.Content = command.Content[1:]
		case "CMD-SHELL":
			command = textNode(strings.TrimSpace(joinedWords(words[1:])))
		}
	}
	if len(command.Content) == 0 && command.Value == "" {
		c.note(test, key+".test", "the check has no command, and is left out")
		return
	}
	w.health = withTimes(mapping("command", command), start, every)
}

func joinedWords(words []*yaml.Node) string {
	var all []string
	for _, n := range words {
		all = append(all, word(n))
	}
	return strings.Join(all, " ")
}

// request returns the path and the port of a command that only asks for an address of the container itself.
func request(command string) (checkPath string, port int, ok bool) {
	m := localURL.FindStringSubmatch(command)
	if m == nil || !strings.Contains(command, "curl") && !strings.Contains(command, "wget") ||
		strings.Contains(command, "|") && !strings.Contains(command, "||") || strings.Contains(command, "&&") ||
		strings.HasPrefix(m[0], "https") {
		return "", 0, false
	}
	if port = 80; m[1] != "" {
		port, _ = strconv.Atoi(m[1]) // digits
	}
	checkPath = m[2]
	if checkPath == "" {
		checkPath = "/"
	}
	if _, err := url.ParseRequestURI(checkPath); err != nil || port < 1 || port > 65535 {
		return "", 0, false
	}
	return checkPath, port, true
}
