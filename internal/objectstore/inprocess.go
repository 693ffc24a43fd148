package objectstore

import (
	"io"
	"net/http"
	"strconv"
	"sync"
)

// InProcess is a RoundTripper that calls a handler directly. Bodies are streamed both ways; the handler runs until it is done
// or the response's body is closed.
type InProcess struct{ Handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t InProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := r.Clone(r.Context())
	inner.RequestURI = r.URL.RequestURI()
	inner.Host = r.URL.Host
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	if inner.ContentLength >= 0 { // servers find it among the headers, too
		inner.Header.Set("Content-Length", strconv.FormatInt(inner.ContentLength, 10))
	}
	reader, writer := io.Pipe()
	w := &pipeWriter{header: make(http.Header), pipe: writer, begun: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer inner.Body.Close()
		defer func() {
			if p := recover(); p != nil { // as net/http would: the connection is cut
				w.WriteHeader(http.StatusInternalServerError)
				writer.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			w.WriteHeader(http.StatusOK)
			writer.Close()
		}()
		t.Handler.ServeHTTP(w, inner)
	}()
	select {
	case <-w.begun:
	case <-r.Context().Done():
		reader.CloseWithError(r.Context().Err())
		<-done // it may be reading the body, which its owner wants back
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: w.status, Header: w.sent, Body: &pipeBody{reader, done}, ContentLength: contentLength(w.sent),
		Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}, nil
}

// pipeBody waits for the handler when it is closed.
type pipeBody struct {
	*io.PipeReader
	done <-chan struct{}
}

func (b *pipeBody) Close() error {
	err := b.PipeReader.Close()
	<-b.done
	return err
}

// pipeWriter is the handler's side of the answer.
type pipeWriter struct {
	header http.Header
	pipe   *io.PipeWriter
	once   sync.Once
	begun  chan struct{}
	status int
	sent   http.Header
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(p)
}

func contentLength(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
