// Command parrot is a sample image that prints its secrets in all forms, for tests that search for them: the variables
// that SAY names, and the files that FILES names.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// doubleQuoted escapes like export -p in bash.
var doubleQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

// backslashed escapes like printf %q in bash, unless the value has control characters.
func backslashed(value string) string {
	var b strings.Builder
	for _, r := range value {
		if strings.ContainsRune(" '\"\\|&;()<>!{}*[?]^$`,", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "quiet" {
		fmt.Println("says nothing")
		return
	}
	for _, name := range strings.Fields(os.Getenv("SAY")) {
		value := os.Getenv(name)
		quoted, _ := json.Marshal(value)
		fmt.Printf("%s=%s\n%q\n{\"json\": %s}\n", name, value, value, quoted)
		fmt.Println(base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte("me:"+value)))
		inURL := url.URL{Scheme: "x", User: url.UserPassword("me", value), Host: "h"}
		fmt.Println(url.QueryEscape(value), url.PathEscape(value), inURL.String())
		again, _ := json.Marshal(string(quoted))
		fmt.Printf("declare -x %s=\"%s\"\n%s\n%s\n", name, doubleQuoted.Replace(value), backslashed(value), again)
		for _, width := range []int{64, 76} {
			for text := base64.StdEncoding.EncodeToString([]byte("me:" + value)); text != ""; {
				n := min(width, len(text))
				fmt.Println(text[:n])
				text = text[n:]
			}
		}
	}
	for _, path := range strings.Fields(os.Getenv("FILES")) {
		data, err := os.ReadFile(path)
		fmt.Printf("%s: %s %v\n", path, data, err)
	}
	if len(os.Args) > 1 && os.Args[1] == "migrate" {
		time.Sleep(300 * time.Millisecond) // until its output has been read
		os.Exit(len(os.Args) - 2)
	}
	if strings.HasPrefix(os.Getenv("CRASH"), "yes") {
		os.Exit(1)
	}
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	go func() { _ = http.ListenAndServe(":8080", nil) }()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
}
