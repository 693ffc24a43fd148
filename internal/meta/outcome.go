package meta

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Fate is what is known of a request once its attempt is over.
type Fate int8

const (
	Taken   Fate = iota // it was answered with success
	NotSent             // it certainly did not reach Meta, whole; repeating it is safe
	Refused             // it was answered with an error, so it had no effect
	Unknown             // it may or may not have had an effect
)

func (f Fate) String() string {
	switch f {
	case Taken:
		return "taken"
	case NotSent:
		return "not sent"
	case Refused:
		return "refused"
	default:
		return "unknown"
	}
}

// Outcome tells what became of the request that returned err. Errors of other origin are Unknown.
func Outcome(err error) Fate {
	if err == nil {
		return Taken
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fate()
	}
	if e, ok := errors.AsType[*Unanswered](err); ok {
		return e.Fate
	}
	return Unknown
}

// Unanswered is an attempt without an answer that can be relied on: no connection, a time-out, a broken or senseless answer.
type Unanswered struct {
	Fate Fate // NotSent or Unknown
	Err  error
}

func (u *Unanswered) Error() string { return "call Meta (" + u.Fate.String() + "): " + u.Err.Error() }

func (u *Unanswered) Unwrap() error { return u.Err }

// onceBody is a request body that can be read once and knows whether that ever began. A request of which no byte of the body
// left cannot have been carried out, whatever happened to its headers; that is the proof behind NotSent. The proof is final:
// asking for it closes the body, and a writer that net/http left running after a cancelled call finds nothing to send.
//
// A body can be a stream. When that breaks off, the request was never whole, which proves the same.
type onceBody struct {
	data   []byte
	stream io.Reader    // instead of data
	left   int64        // of the stream
	state  atomic.Int32 // fresh, then begun or void
	broken atomic.Pointer[BrokenBody]
}

// BrokenBody is the reason of an Unanswered call whose Stream failed: the fault is neither Meta's nor the network's between us.
type BrokenBody struct{ Err error }

func (b *BrokenBody) Error() string { return "read what was to be sent: " + b.Err.Error() }

func (b *BrokenBody) Unwrap() error { return b.Err }

const (
	fresh int32 = iota
	begun
	void
)

var errVoid = errors.New("the call was given up before its body was sent")

func newOnceBody(data []byte) *onceBody {
	if len(data) == 0 {
		return nil
	}
	return &onceBody{data: data}
}

func (b *onceBody) Read(p []byte) (int, error) {
	if !b.state.CompareAndSwap(fresh, begun) && b.state.Load() == void {
		return 0, errVoid
	}
	if b.stream != nil {
		return b.readStream(p)
	}
	if len(b.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func (b *onceBody) readStream(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.stream.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if errors.Is(err, io.EOF) {
		if err = nil; b.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		b.broken.Store(&BrokenBody{err})
	}
	return n, err
}

// cause returns why the call failed: the stream's trouble if it had any, else the transport's.
func (b *onceBody) cause(err error) error {
	if b != nil {
		if broken := b.broken.Load(); broken != nil {
			return broken
		}
	}
	return err
}

func (b *onceBody) Close() error { return nil }

// fate returns NotSent if the request certainly did not arrive. For requests without a body only a failure to connect proves
// that.
func (b *onceBody) fate(err error) Fate {
	if b != nil {
		if b.state.CompareAndSwap(fresh, void) || b.broken.Load() != nil {
			return NotSent
		}
		return Unknown
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return NotSent
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return NotSent
	}
	return Unknown
}

// Fate returns Refused when the answer is Graph's own or at least not a server's or a gateway's trouble; a 5xx without Graph's
// error object, and a request time-out, may have come from something in front of a request that succeeded.
func (e *Error) Fate() Fate {
	if e.Graph || e.HTTPStatus < 500 && e.HTTPStatus != http.StatusRequestTimeout {
		return Refused
	}
	return Unknown
}
