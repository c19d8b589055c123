package job

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// A write that waits for a slow reader does not stop the log, however long it takes. A log that pauses does.
func TestOutputWaitsForReader(t *testing.T) {
	const pause = time.Hour
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		reader, writer := io.Pipe()
		out := &output{to: writer}
		stopped, done := make(chan struct{}), make(chan struct{})
		go func() { // the log, which pauses after its second chunk
			defer close(done)
			for range 2 {
				if _, err := out.Write([]byte("line\n")); err != nil {
					t.Error(err)
				}
			}
			<-stopped
		}()
		go func() {
			line := make([]byte, 5)
			for range 2 {
				time.Sleep(pause)
				if _, err := io.ReadFull(reader, line); err != nil {
					t.Error(err)
				}
			}
		}()
		out.wait(done, func() { close(stopped) })
		after := time.Since(begin) - 2*pause
		if after < logWait || after > 2*logWait {
			t.Errorf("stopped %s after the last write", after)
		}
	})
}
