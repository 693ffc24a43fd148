package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// Params are a call's parameters, merged as Graph merges them: query first, body over it. JSON bodies keep their types, with
// numbers as json.Number; form and query values that hold a JSON object or array are decoded, others stay strings.
// Files of a multipart body are File values.
type Params map[string]any

// File is an uploaded part of a multipart body.
type File struct {
	Name string
	Type string // Content-Type of the part
	Data []byte
}

// ErrTooLarge reports a body beyond the limit given to Read.
var ErrTooLarge = errors.New("graph: request body too large")

// Read parses a request's query and body. The raw JSON form of the body is returned too (a form's is re-encoded), or nil when
// there was none. The error is ErrTooLarge, an *Error for a malformed body (the query's parameters are returned beside it),
// or one of the connection's.
func Read(r *http.Request, limit int64) (Params, []byte, error) {
	params := Params{}
	if r.URL.RawQuery != "" {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return params, nil, Param("Invalid query string")
		}
		params.mergeForm(query)
	}
	if r.Body == nil || r.Method == http.MethodGet {
		return params, nil, nil
	}
	body, err := readAll(r, limit)
	if err != nil {
		return params, nil, err
	}
	media, attrs, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return params, nil, Param("Invalid form body")
		}
		return params.withForm(form)
	case "multipart/form-data":
		form, err := multipart.NewReader(bytes.NewReader(body), attrs["boundary"]).ReadForm(limit)
		if err != nil {
			return params, nil, Param("Invalid multipart body")
		}
		defer form.RemoveAll() //nolint:errcheck // the form never spills to disk: limit bounds both
		for name, parts := range form.File {
			if params[name], err = readFile(parts[len(parts)-1]); err != nil {
				return params, nil, Param("Invalid multipart body")
			}
		}
		return params.withForm(form.Value)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return params, nil, nil
	}
	decoded, err := decodeObject(body)
	if err != nil {
		return params, body, Param("The request body is not a valid JSON object")
	}
	if len(params) == 0 {
		return decoded, body, nil
	}
	maps.Copy(params, decoded)
	return params, body, nil
}

func readFile(h *multipart.FileHeader) (File, error) {
	part, err := h.Open()
	if err != nil {
		return File{}, err
	}
	defer part.Close()
	data, err := io.ReadAll(part)
	return File{Name: h.Filename, Type: h.Header.Get("Content-Type"), Data: data}, err
}

func readAll(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, ErrTooLarge
	}
	if n := r.ContentLength; n > 0 {
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, fmt.Errorf("reading the body: %w", err)
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, ErrTooLarge
	}
	return body, nil
}

func decodeObject(body []byte) (Params, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var p Params
	if err := dec.Decode(&p); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, errors.New("null body")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("trailing data")
	}
	return p, nil
}

// withForm merges a form and returns its JSON form for whoever keeps the request.
func (p Params) withForm(form url.Values) (Params, []byte, error) {
	own := Params{}
	own.mergeForm(form)
	raw, err := json.Marshal(own)
	if err != nil {
		return p, nil, Param("Invalid form body")
	}
	maps.Copy(p, own)
	return p, raw, nil
}

func (p Params) mergeForm(form url.Values) {
	for key, values := range form {
		if len(values) > 0 {
			p[key] = FormValue(values[len(values)-1])
		}
	}
}

// FormValue reads a parameter that was given as text: an object or a list in it is decoded, anything else stays text.
func FormValue(s string) any {
	if s == "" || (s[0] != '{' && s[0] != '[') {
		return s
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return s
	}
	return v
}

// String returns a scalar parameter as text: Graph takes a number where it expects a string. ok is false when the parameter
// is absent, null, or not a scalar.
func (p Params) String(key string) (s string, ok bool) { return Scalar(p[key]) }

// Scalar renders a JSON string, number or boolean as text.
func Scalar(v any) (s string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}
