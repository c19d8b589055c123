package bed

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Poller sends requests to the app behind a Service, through the API server's proxy.
type Poller struct {
	stop   context.CancelFunc
	ended  chan struct{}
	sent   int
	failed []string
}

// Poll starts a Poller.
func (c *Cluster) Poll(namespace, service string) (*Poller, error) {
	target, transport, err := API(c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Poller{stop: cancel, ended: make(chan struct{})}
	url := fmt.Sprintf("%s/api/v1/namespaces/%s/services/%s:80/proxy/", target, namespace, service)
	go p.run(ctx, &http.Client{Transport: transport, Timeout: time.Minute}, url)
	return p, nil
}

// Stop stops the Poller. It returns the number of requests and the failures.
func (p *Poller) Stop() (sent int, failed []string) {
	p.stop()
	<-p.ended
	return p.sent, p.failed
}

func (p *Poller) run(ctx context.Context, client *http.Client, url string) {
	defer close(p.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
		p.sent++
		if err := getOK(client, url); err != nil {
			p.failed = append(p.failed, fmt.Sprintf("%s at %s", err, time.Now().Format(time.TimeOnly)))
		}
	}
}

func getOK(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
