package node

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

// relay passes connections from a socket of the host on to an address inside.
func relay(fd uintptr, to string) error {
	l, err := net.FileListener(os.NewFile(fd, "relay"))
	if err != nil {
		return fmt.Errorf("take a host socket over: %w", err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				log.Printf("relay to %s: %v", to, err)
				return
			}
			go pass(c.(*net.TCPConn), to)
		}
	}()
	return nil
}

func pass(from *net.TCPConn, to string) {
	defer func() { _ = from.Close() }()
	c, err := net.Dial("tcp", to)
	if err != nil {
		return // the caller sees its connection closed, as by a server that is down
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
