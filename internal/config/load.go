package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxFile     = 1 << 20 // bytes of a configuration file
	maxProblems = 100     // of a file, before the rest of it is left unread
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	File string // "" when it came from an override or a default
	Line int    // 0 when unknown
	Key  string // dotted key; "" when it concerns the file as a whole
	Text string
}

func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems is every problem of a configuration, one a line.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Overrides reports whether no problem comes from a file, so that the command line is to blame.
func (ps Problems) Overrides() bool {
	return !slices.ContainsFunc(ps, func(p Problem) bool { return p.File != "" })
}

// Load reads the file at path over the defaults ("" reads none), applies overrides of the form key=value in order, and
// validates the result. The error is a Problems that lists everything that is wrong, or says why the file cannot be read.
func Load(path string, sets []string) (Config, error) {
	c := Default()
	if path == "" {
		return c, c.Override(sets)
	}
	raw, err := readFile(path)
	if err != nil {
		return Config{}, err
	}
	lines := map[string]int{}
	problems := c.parse(raw, lines)
	for i := range problems {
		problems[i].File = path
	}
	problems = append(problems, c.override(sets, lines)...)
	for _, p := range c.check() {
		if line, ok := lines[p.Key]; ok {
			p.File, p.Line = path, line
		}
		problems = append(problems, p)
	}
	return c, problems.orNil()
}

// Override applies overrides of the form key=value in order and validates the result, telling all problems at once.
func (c *Config) Override(sets []string) error {
	problems := c.override(sets, nil)
	return append(problems, c.check()...).orNil()
}

// orNil avoids an error interface that holds an empty list.
func (ps Problems) orNil() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// override applies key=value pairs. The keys it sets are no longer the file's.
func (c *Config) override(sets []string, lines map[string]int) (problems Problems) {
	for _, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok {
			problems = append(problems, Problem{Text: fmt.Sprintf("--set %s: want key=value", set)})
			continue
		}
		if err := c.Set(key, value); err != nil {
			problems = append(problems, Problem{Text: "--set " + err.Error()})
			continue
		}
		delete(lines, key)
	}
	return problems
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	}
	return raw, nil
}

// parse overlays c with a YAML document. It notes the line of every key it sets.
//
// It walks the document itself, not through yaml's decoder, so that every problem names its line and dotted key in the words
// of the settings and not of Go types.
func (c *Config) parse(raw []byte, lines map[string]int) Problems {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return Problems{{Text: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if len(doc.Content) == 0 {
		return nil // an empty file changes nothing
	}
	w := &walker{config: c, lines: lines}
	w.mapping(doc.Content[0], "")
	return w.problems
}

type walker struct {
	config   *Config
	lines    map[string]int
	problems Problems
}

func (w *walker) problem(n *yaml.Node, key string, err error) {
	w.problems = append(w.problems, Problem{Line: n.Line, Key: key, Text: err.Error()})
}

var errNotMapping = errors.New("want settings of the form key: value")

// mapping walks one level. Its depth is bounded by the sections that exist, whatever the document refers to.
func (w *walker) mapping(n *yaml.Node, prefix string) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // a section without settings
	}
	if n.Kind != yaml.MappingNode {
		w.problem(n, strings.TrimSuffix(prefix, "."), errNotMapping)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && len(w.problems) < maxProblems; i += 2 {
		name, value := resolve(n.Content[i]), resolve(n.Content[i+1])
		key := prefix + name.Value
		switch {
		case seen[key]:
			w.problem(name, key, errors.New("set twice"))
		case w.config.section(key):
			w.mapping(value, key+".")
		default:
			w.leaf(name, value, key)
		}
		seen[key] = true
	}
}

func (w *walker) leaf(name, value *yaml.Node, key string) {
	s, entry, ok := w.config.find(key)
	if !ok {
		w.problem(name, key, errors.New("unknown setting"+w.config.suggest(key)))
		return
	}
	w.lines[key] = name.Line
	if value.Kind == yaml.SequenceNode && s.value.Kind() == reflect.Slice {
		list := make([]string, len(value.Content))
		for i, item := range value.Content {
			if item = resolve(item); item.Kind != yaml.ScalarNode {
				w.problem(item, key, errors.New("want a list of texts"))
				return
			}
			list[i] = item.Value
		}
		s.value.Set(reflect.ValueOf(list))
		return
	}
	if value.Kind != yaml.ScalarNode {
		w.problem(value, key, errors.New("want one value"))
		return
	}
	if value.Tag == "!!null" && entry == "" {
		return // "key:" keeps the default
	}
	if err := w.config.Set(key, value.Value); err != nil {
		w.problem(value, key, errors.New(strings.TrimPrefix(err.Error(), key+": ")))
	}
}

// section reports whether a dotted key is a group of settings.
func (c *Config) section(key string) bool {
	for _, s := range c.settings() {
		if strings.HasPrefix(s.key, key+".") || s.key == key && s.value.Kind() == reflect.Map {
			return true
		}
	}
	return false
}

// resolve follows aliases; a cycle of aliases alone cannot be written in YAML.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
