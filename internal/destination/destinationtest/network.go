package destinationtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// network calls a handler as if it were behind a connection, which virtual time could not wait for.
type network struct{ handler http.Handler }

func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		in.Body = io.NopCloser(bytes.NewReader(body))
	} else {
		in.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
	w := &answer{header: http.Header{}, body: writer, begun: make(chan struct{})}
	broken := make(chan struct{})
	go func() {
		defer func() {
			if recover() != nil {
				writer.CloseWithError(errBroken)
				close(broken)
			}
		}()
		n.handler.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
		writer.Close()
	}()
	select {
	case <-w.begun:
		return &http.Response{Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: w.header, Body: reader, ContentLength: -1, Request: r}, nil
	case <-broken:
		return nil, errBroken
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

var errBroken = errors.New("connection reset by peer")

// answer is what a handler writes.
type answer struct {
	header http.Header
	status int
	once   sync.Once
	begun  chan struct{}
	body   *io.PipeWriter
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status = status
		close(a.begun)
	})
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func bodyOf(r *http.Request) []byte {
	body, _ := io.ReadAll(r.Body) // from memory
	return body
}

// Client returns a client that calls a handler as if it were behind a connection, on virtual time.
func Client(h http.Handler) *http.Client { return &http.Client{Transport: network{h}} }
