package sigv4

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Claim is what a request says about its own signature. Until Verify has agreed it is only that: a claim.
type Claim struct {
	Algorithm     string
	AccessKeyID   string
	Date          string // of the credential scope, yyyymmdd
	Region        string
	Service       string
	SignedHeaders string // names joined by ";"
	Signature     string
	Token         string // X-Amz-Security-Token
	Time          time.Time
	Presigned     bool // the signature is in the query string

	credential string        // as sent
	terminator string        // the last part of the credential
	scope      string        // date/region/service/terminator; "" when the credential has not exactly five parts
	timestamp  string        // Time as it was signed
	expires    time.Duration // of presigned requests; 0 means the usual skew applies
	err        *Error        // the first thing that is wrong
}

// Parse reads the claim out of a request. It keeps what it understands even when something is amiss (Identify reports that),
// so a server can tell which service was meant.
func Parse(r *http.Request) Claim {
	var c Claim
	if header := r.Header.Get("Authorization"); strings.HasPrefix(header, "AWS4-") {
		c.parseHeader(r, header)
	} else if header == "" && strings.Contains(r.URL.RawQuery, "X-Amz-") {
		c.parseQuery(r)
	} else {
		c.err = refuse(Missing, "Request is missing Authentication Token")
	}
	return c
}

func (c *Claim) parseHeader(r *http.Request, header string) {
	algorithm, rest, _ := strings.Cut(header, " ")
	c.Algorithm = algorithm
	for len(rest) > 0 {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			c.setCredential(value)
		case "SignedHeaders":
			c.SignedHeaders = value
		case "Signature":
			c.Signature = value
		}
	}
	c.Token = r.Header.Get("X-Amz-Security-Token")
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		date = r.Header.Get("Date")
	}

	var missing strings.Builder
	for _, p := range [...]struct{ name, value string }{
		{"Credential", c.credential}, {"Signature", c.Signature}, {"SignedHeaders", c.SignedHeaders},
	} {
		if p.value == "" {
			missing.WriteString("Authorization header requires '" + p.name + "' parameter. ")
		}
	}
	if date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		c.err = refuse(Incomplete, missing.String()+"Authorization="+header)
		return
	}
	c.setTime(date)
}

func (c *Claim) parseQuery(r *http.Request) {
	c.Presigned = true
	query := r.URL.Query()
	c.Algorithm = query.Get("X-Amz-Algorithm")
	c.setCredential(query.Get("X-Amz-Credential"))
	c.SignedHeaders = query.Get("X-Amz-SignedHeaders")
	c.Signature = query.Get("X-Amz-Signature")
	c.Token = query.Get("X-Amz-Security-Token")

	var missing strings.Builder
	for _, name := range [...]string{
		"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date",
	} {
		if query.Get(name) == "" {
			missing.WriteString("AWS query-string parameters must include '" + name + "'. ")
		}
	}
	if missing.Len() > 0 {
		c.err = refuse(Incomplete, missing.String()+"Re-examine the query-string parameters.")
		return
	}
	c.setTime(query.Get("X-Amz-Date"))
	if c.err == nil {
		c.setExpires(query)
	}
}

func (c *Claim) setCredential(credential string) {
	c.credential = credential
	id, scope, _ := strings.Cut(credential, "/")
	c.AccessKeyID = id
	rest := scope
	for _, part := range [...]*string{&c.Date, &c.Region, &c.Service} {
		var ok bool
		if *part, rest, ok = strings.Cut(rest, "/"); !ok {
			return
		}
	}
	if !strings.Contains(rest, "/") {
		c.terminator, c.scope = rest, scope
	}
}

// setTime understands the basic format, which signers use, and HTTP's own date formats, which a signed Date header may have.
func (c *Claim) setTime(value string) {
	if len(value) == len(basicFormat) {
		if t, err := time.Parse(basicFormat, value); err == nil {
			c.Time, c.timestamp = t, value
			return
		}
	} else if t, err := http.ParseTime(value); err == nil {
		c.Time, c.timestamp = t, basic(t)
		return
	}
	c.err = refuse(Incomplete, "Date must be in ISO-8601 'basic format'. Got '"+value+
		"'. See http://en.wikipedia.org/wiki/ISO_8601")
}

// setExpires reads the life of a presigned request. Presigned calls of STS leave it out; then the usual skew applies.
func (c *Claim) setExpires(query url.Values) {
	value := query.Get("X-Amz-Expires")
	if value == "" {
		return
	}
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds < 1 || seconds > int(maxExpires/time.Second) {
		c.err = refuse(Incomplete, "X-Amz-Expires must be a number of seconds from 1 to 604800, got '"+value+"'")
		return
	}
	c.expires = time.Duration(seconds) * time.Second
}
