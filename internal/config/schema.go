package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// setting is one leaf of the struct: what a dotted key leads to.
type setting struct {
	key   string // "handover.retry_window"
	path  string // of Go names, "Handover.RetryWindow", to find its comment
	value reflect.Value
}

// settings walks the struct in the order of its fields.
func (c *Config) settings() []setting {
	var list []setting
	var walk func(v reflect.Value, key, path string)
	walk = func(v reflect.Value, key, path string) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			k, p := key+f.Tag.Get("yaml"), path+f.Name
			if f.Type.Kind() == reflect.Struct {
				walk(v.Field(i), k+".", p+".")
				continue
			}
			list = append(list, setting{key: k, path: p, value: v.Field(i)})
		}
	}
	walk(reflect.ValueOf(c).Elem(), "", "")
	return list
}

// find returns the setting a dotted key leads to, and the entry of the map if it leads into one.
func (c *Config) find(key string) (s setting, entry string, ok bool) {
	for _, s := range c.settings() {
		if s.key == key {
			return s, "", s.value.Kind() != reflect.Map
		}
		if s.value.Kind() == reflect.Map {
			if entry, ok := strings.CutPrefix(key, s.key+"."); ok && entry != "" {
				return s, entry, true
			}
		}
	}
	return setting{}, "", false
}

// Set overrides one setting by its dotted key, for example handover.retry_window to "90m". Lists are separated by commas. The
// result has to be validated.
func (c *Config) Set(key, value string) error {
	s, entry, ok := c.find(key)
	if !ok {
		return fmt.Errorf("%s: unknown setting%s", key, c.suggest(key))
	}
	if entry != "" {
		rate, err := parseRate(value)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if s.value.IsNil() {
			s.value.Set(reflect.MakeMap(s.value.Type()))
		}
		s.value.SetMapIndex(reflect.ValueOf(entry), reflect.ValueOf(rate))
		return nil
	}
	if err := parseInto(s.value, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// parseInto sets a leaf from text. Its errors never repeat the text of a secret.
func parseInto(v reflect.Value, text string) error {
	switch v.Interface().(type) {
	case string, identity.Secret:
		v.SetString(text)
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 90s or 3h", text)
		}
		v.SetInt(int64(d))
	case Size:
		n, err := parseSize(text)
		if err != nil {
			return err
		}
		v.SetInt(int64(n))
	case bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	case int, int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		v.SetInt(n)
	case []string:
		var list []string
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		v.Set(reflect.ValueOf(list))
	default:
		panic("config: no parser for " + v.Type().String())
	}
	return nil
}

func parseRate(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return f, nil
}

// format is the inverse of parseInto for everything but secrets and maps, which have no text.
func format(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case identity.Secret:
		if x == "" {
			return ""
		}
		return x.String()
	case time.Duration:
		return formatDuration(x)
	case []string:
		return strings.Join(x, ",")
	default:
		return fmt.Sprint(x)
	}
}

// formatDuration leaves out the zero parts that time.Duration prints: 3h, not 3h0m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// suggest names the known key nearest to a mistyped one, if any is near.
func (c *Config) suggest(key string) string {
	if strings.TrimSuffix(key, ".") == "limits" {
		return " (name an operation, as in limits.SendWhatsAppMessage)"
	}
	best, distance := "", max(2, len(key)/4)+1
	for _, s := range c.settings() {
		if d := editDistance(key, s.key); d < distance {
			best, distance = s.key, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// editDistance is the Levenshtein distance of two short strings; long ones are simply far apart.
func editDistance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// limitNames returns the operations that have a limit, sorted.
func (c *Config) limitNames() []string {
	names := make([]string, 0, len(c.Limits))
	for name := range c.Limits {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
