package courier

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" // Meta still sends the SHA-1 signature beside the real one
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// claim takes every request that may start now and says how long until the next one may.
func (c *Courier) claim(now time.Time) (flights []flight, next time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next = time.Hour
	consider := func(d *destination) {
		if d.url == "" {
			return
		}
		for d.inFlight < max(1, c.settings.Concurrency) {
			if left := d.notBefore.Sub(now); left > 0 {
				next = min(next, left)
				return
			}
			if !d.verified {
				if d.inFlight == 0 {
					d.inFlight++
					flights = append(flights, flight{to: d, url: d.url, timeout: c.settings.Timeout, challenge: c.challenge()})
				}
				return
			}
			b, wait := d.next(now)
			if b == nil {
				if wait > 0 {
					next = min(next, wait)
				}
				return
			}
			d.inFlight++
			d.notBefore = now.Add(c.settings.BatchWindow)
			flights = append(flights, flight{to: d, url: d.url, batch: b, mixed: c.settings.Mixed, timeout: c.settings.Timeout})
		}
	}
	consider(c.app)
	for _, d := range c.others {
		consider(d)
	}
	return flights, next
}

func (c *Courier) challenge() string {
	c.serial++
	c.stats.Handshake++
	return strconv.FormatUint(1158201444+c.serial*7919, 10)
}

func (c *Courier) fly(ctx context.Context, f flight) {
	var err error
	if f.batch == nil {
		err = c.handshake(ctx, f.url, c.o.VerifyToken, f.challenge, f.timeout)
	} else {
		err = c.post(ctx, f)
	}
	c.land(f, err, c.o.Now())
	c.Wake()
}

// land books the outcome of a request.
func (c *Courier) land(f flight, err error, now time.Time) {
	c.mu.Lock()
	d := f.to
	d.inFlight--
	failures := d.failures
	if err != nil {
		d.pause(now)
	} else {
		d.failures = 0
	}
	first := false
	var lost []*Update
	if f.batch == nil {
		d.verified = d.verified || (err == nil && d.url == f.url)
	} else {
		b := f.batch
		first = b.attempts == 0
		b.attempts++
		c.stats.Requests++
		switch {
		case err == nil:
			c.stats.Delivered += uint64(len(b.updates))
			c.settle(d, b)
		case now.Sub(b.since) >= c.settings.RetryFor:
			c.stats.Failed++
			c.stats.Dropped += uint64(len(b.updates))
			c.settle(d, b)
			lost = b.updates
		default:
			c.stats.Failed++
			b.due = now.Add(backoff(c.settings, b.attempts))
			if c.current(d) {
				d.retries = append(d.retries, b)
			}
		}
	}
	c.mu.Unlock()
	if err != nil && failures == 0 && !errors.Is(err, context.Canceled) {
		c.o.Logger.Warn("simulated webhook not taken; will retry", "url", f.url, "handshake", f.batch == nil, "error", err)
	}
	if len(lost) > 0 {
		c.o.Logger.Warn("simulated webhook given up", "url", f.url, "updates", len(lost))
	}
	if first {
		for _, u := range f.batch.updates {
			u.tried()
		}
	}
}

// settle takes a finished batch out of the books, unless Clear already did.
func (c *Courier) settle(d *destination, b *batch) {
	if !c.current(d) {
		return
	}
	for _, u := range b.updates {
		c.forget(u)
	}
}

func (c *Courier) current(d *destination) bool { return d == c.app || c.others[d.url] == d }

func (c *Courier) post(ctx context.Context, f flight) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	body := Envelope(f.batch.updates, f.mixed)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "facebookexternalua")
	c.sign(req.Header, body, f.batch)
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is kept
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the callback answered %d", res.StatusCode)
	}
	return nil
}

// sign sets both of Meta's signature headers, or spoils them when the batch asks for it.
func (c *Courier) sign(h http.Header, body []byte, b *batch) {
	secret := c.o.AppSecret
	if b.attempts == 0 && b.updates[0].Forgery != Genuine {
		c.mu.Lock()
		c.stats.Forged++
		c.mu.Unlock()
		if b.updates[0].Forgery == NoSignature {
			return
		}
		secret += "-forged"
	}
	h.Set("X-Hub-Signature", "sha1="+mac(sha1.New, secret, body))
	h.Set("X-Hub-Signature-256", "sha256="+mac(sha256.New, secret, body))
}

func mac(algorithm func() hash.Hash, secret string, body []byte) string {
	m := hmac.New(algorithm, []byte(secret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// Verify makes the handshake with an override address now and returns why it failed, in a form for the caller.
func (c *Courier) Verify(ctx context.Context, address, token string) error {
	c.mu.Lock()
	challenge, timeout := c.challenge(), c.settings.Timeout
	c.mu.Unlock()
	return c.handshake(ctx, address, token, challenge, timeout)
}

func (c *Courier) handshake(ctx context.Context, address, token, challenge string, timeout time.Duration) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("the callback address is not an absolute http or https URL")
	}
	query := "hub.mode=subscribe&hub.challenge=" + challenge + "&hub.verify_token=" + url.QueryEscape(token)
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)")
	res, err := c.client.Do(req)
	if err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), url.QueryEscape(token), "…"))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	switch {
	case err != nil:
		return err
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("HTTP Status Code = %d; HTTP Message = %s", res.StatusCode, http.StatusText(res.StatusCode))
	case string(body) != challenge:
		return errors.New("the callback did not echo the challenge")
	}
	return nil
}
