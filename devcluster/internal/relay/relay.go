// Package relay relays TCP connections to another address.
package relay

import (
	"io"
	"log"
	"net"
)

// Serve accepts connections from l and relays them to the address to. It returns when l is closed.
func Serve(l net.Listener, to string) {
	for {
		c, err := l.Accept()
		if err != nil {
			log.Printf("relay to %s: %v", to, err)
			return
		}
		go pass(c.(*net.TCPConn), to)
	}
}

func pass(from *net.TCPConn, to string) {
	defer func() { _ = from.Close() }()
	c, err := net.Dial("tcp", to)
	if err != nil {
		return // closes the client's connection
	}
	target := c.(*net.TCPConn)
	defer func() { _ = target.Close() }()
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(target, from)
		_ = target.CloseWrite()
		close(done)
	}()
	_, _ = io.Copy(from, target)
	_ = from.CloseWrite()
	<-done
}
