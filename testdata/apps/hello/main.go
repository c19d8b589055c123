// Command hello is norn's sample app. It prints a greeting and a fingerprint of its secret, and counts visits on a
// volume.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(log.LUTC | log.Ldate | log.Ltime)
	greeting, err := os.ReadFile("/greeting.txt")
	if err != nil {
		log.Fatalf("read the greeting: %v", err)
	}
	h := &hello{greeting: strings.TrimSpace(string(greeting)), visits: filepath.Join(os.Getenv("DATA_DIR"), "visits")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /{$}", h.greet)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if os.Getenv("VERSION") == "mute" { // for tests: this version fails its probes
		<-ctx.Done()
		return
	}
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		log.Print("stopping")
		_ = server.Shutdown(context.WithoutCancel(ctx))
	}()
	log.Printf("hello version %s says %q on port %s, secret %s",
		os.Getenv("VERSION"), h.greeting, os.Getenv("PORT"), fingerprint())
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

// fingerprint returns a hash that identifies the secret, or "missing".
func fingerprint() string {
	token := os.Getenv("HELLO_TOKEN")
	if token == "" {
		return "missing"
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256([]byte(token)))
}

type hello struct {
	greeting, visits string

	mu sync.Mutex
}

func (h *hello) greet(w http.ResponseWriter, req *http.Request) {
	n, err := h.count()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	log.Printf("visit %d from %s", n, req.UserAgent())
	_, _ = fmt.Fprintf(w, "%s (version %s, visit %d, secret %s)\n", h.greeting, os.Getenv("VERSION"), n, fingerprint())
}

func (h *hello) count() (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	data, err := os.ReadFile(h.visits)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(data))) // an invalid file counts as 0
	n++
	return n, os.WriteFile(h.visits, []byte(strconv.Itoa(n)+"\n"), 0o644)
}
