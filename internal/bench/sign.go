package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync/atomic"
	"time"
)

// signer makes AWS Signature Version 4 for requests of one service. It derives the signing key once a day and writes the
// canonical request straight into the hash, since a load generator that is slow measures itself.
type signer struct {
	key, secret     string
	region, service string
	day             atomic.Pointer[dayKey]
}

type dayKey struct {
	date  string // yyyymmdd
	scope string
	key   []byte
}

const (
	algorithm     = "AWS4-HMAC-SHA256"
	signedHeaders = "content-type;host;x-amz-date"
	timeFormat    = "20060102T150405Z"
)

// sign adds X-Amz-Date and Authorization to the headers of a request that has a Content-Type and no query. path must need no
// escaping.
func (s *signer) sign(h http.Header, method, host, path string, body []byte, now time.Time) {
	stamp := now.UTC().Format(timeFormat)
	day := s.today(stamp[:8])
	sum := sha256.Sum256(body)

	b := make([]byte, 0, 512)
	b = append(append(b, method...), '\n')
	b = append(append(b, path...), '\n', '\n')
	b = append(append(append(b, "content-type:"...), h.Get("Content-Type")...), '\n')
	b = append(append(append(b, "host:"...), host...), '\n')
	b = append(append(append(b, "x-amz-date:"...), stamp...), '\n', '\n')
	b = append(append(b, signedHeaders...), '\n')
	b = hex.AppendEncode(b, sum[:])
	canonical := sha256.Sum256(b)

	b = append(append(b[:0], algorithm...), '\n')
	b = append(append(b, stamp...), '\n')
	b = append(append(b, day.scope...), '\n')
	b = hex.AppendEncode(b, canonical[:])
	signature := mac(day.key, b)

	b = append(append(b[:0], algorithm+" Credential="...), s.key...)
	b = append(append(b, '/'), day.scope...)
	b = append(b, ", SignedHeaders="+signedHeaders+", Signature="...)
	b = hex.AppendEncode(b, signature)
	h["X-Amz-Date"] = []string{stamp}
	h["Authorization"] = []string{string(b)}
}

func (s *signer) today(date string) *dayKey {
	if day := s.day.Load(); day != nil && day.date == date {
		return day
	}
	key := []byte("AWS4" + s.secret)
	for _, part := range [...]string{date, s.region, s.service, "aws4_request"} {
		key = mac(key, []byte(part))
	}
	day := &dayKey{date: date, scope: date + "/" + s.region + "/" + s.service + "/aws4_request", key: key}
	s.day.Store(day)
	return day
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}
