package bed

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Far returns a kubeconfig like w's for an API server that is a round trip away. The connection's TLS is that of the
// API server. The proxy ends with the test.
func (w *Workspace) Far(roundTrip time.Duration) string {
	w.T.Helper()
	target, _, err := API(w.Kubeconfig)
	if err != nil {
		w.T.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go carry(near, target, roundTrip)
		}
	}()
	data, err := os.ReadFile(w.Kubeconfig)
	if err != nil {
		w.T.Fatal(err)
	}
	path := filepath.Join(w.Home, fmt.Sprintf("far-%s.kubeconfig", roundTrip))
	moved := strings.ReplaceAll(string(data), target.Host, listener.Addr().String())
	if err := os.WriteFile(path, []byte(moved), 0o600); err != nil {
		w.T.Fatal(err)
	}
	return path
}

// carry passes a connection's bytes on, each after half a round trip. TCP's own handshake takes a whole one.
func carry(near net.Conn, target *url.URL, roundTrip time.Duration) {
	defer func() { _ = near.Close() }()
	time.Sleep(roundTrip)
	far, err := net.Dial("tcp", target.Host)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			late(way[1], way[0], roundTrip/2)
			done <- struct{}{}
		}()
	}
	<-done
}

// late copies what it reads, each part by after its arrival, until the reader ends.
func late(to io.Writer, from io.Reader, by time.Duration) {
	type part struct {
		due  time.Time
		data []byte
	}
	parts := make(chan part, 1024)
	go func() {
		defer close(parts)
		for {
			buffer := make([]byte, 64<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				parts <- part{time.Now().Add(by), buffer[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range parts {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			return
		}
	}
}
