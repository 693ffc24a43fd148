package awsapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
)

// firstRead is how much room a body gets before any of it has come: what a client announces is only a claim.
const firstRead = 64 << 10

// read takes the whole body into the pooled buffer. GET, HEAD and DELETE requests usually have none.
func (x *exchange) read(limit int64) error {
	if x.r.ContentLength == 0 || x.r.Body == nil || x.r.Body == http.NoBody {
		return nil
	}
	room := int64(512)
	if x.r.ContentLength > 0 {
		room = min(x.r.ContentLength+1, firstRead) // one more, to see the end without growing
	}
	b := slices.Grow(x.in[:0], int(room))
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, 1)
		}
		n, err := x.r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		x.in = b
		switch {
		case int64(len(b)) > limit:
			return x.tooLarge(limit)
		case err == io.EOF:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return &Error{Code: codeTimeout, Message: "The request's body took too long to arrive.", Cause: err}
		case err != nil:
			return &Error{Code: codeAborted, Message: "The request's body could not be read to its end.", Cause: err}
		}
	}
}

// maxDrain is how much of a body that is too large we swallow, so that a client that only reads answers when it is done
// sending gets to see this one.
const maxDrain = 8 << 20

func (x *exchange) tooLarge(limit int64) error {
	if x.r.ContentLength <= limit+maxDrain {
		io.CopyN(io.Discard, x.r.Body, maxDrain) // an error changes nothing: the answer is the same
	}
	return &Error{Code: codeTooLarge, Message: fmt.Sprintf("The request's body must be at most %d bytes.", limit)}
}
