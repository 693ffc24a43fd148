package config

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// source is the file that declares the settings: their comments are the reference.
//
//go:embed config.go
var source string

// YAML renders the settings as a file, secrets masked. With comments it explains each.
func (c *Config) YAML(comments bool) string {
	var docs map[string]string
	if comments {
		docs = fieldDocs()
	}
	var b strings.Builder
	section := ""
	for _, s := range c.settings() {
		name, indent := s.key, ""
		if head, rest, ok := strings.Cut(s.key, "."); ok {
			if name, indent = rest, "  "; head != section {
				section = head
				if comments {
					b.WriteString("\n")
				}
				b.WriteString(head + ":\n")
			}
		}
		for line := range strings.Lines(docs[s.path]) {
			b.WriteString(indent + "# " + strings.TrimRight(line, "\n") + "\n")
		}
		if s.value.Kind() == reflect.Map {
			c.writeLimits(&b, name)
			continue
		}
		b.WriteString(indent + name + ": " + yamlValue(s.value) + "\n")
	}
	return b.String()
}

func (c *Config) writeLimits(b *strings.Builder, name string) {
	if len(c.Limits) == 0 {
		b.WriteString(name + ": {}\n")
		return
	}
	b.WriteString(name + ":\n")
	for _, op := range c.limitNames() {
		fmt.Fprintf(b, "  %s: %v\n", scalar(op), c.Limits[op])
	}
}

// yamlValue renders one leaf so that a YAML reader gets the same text back.
func yamlValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case string:
		return scalar(x)
	case identity.Secret:
		return scalar(format(v))
	case []string:
		items := make([]string, len(x))
		for i, item := range x {
			items[i] = scalar(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	default:
		return format(v)
	}
}

// scalar quotes text where YAML needs it. Inside lists a comma or bracket needs it too.
func scalar(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-:") == "" &&
		plain(text) {
		return text
	}
	node := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: text}
	out, err := yaml.Marshal(&node)
	if err != nil {
		return fmt.Sprintf("%q", text)
	}
	return strings.TrimRight(string(out), "\n")
}

// plain reports whether YAML reads unquoted text as the same string, and not as a number, truth value or mapping.
func plain(text string) bool {
	var back any
	if err := yaml.Unmarshal([]byte(text), &back); err != nil {
		return false
	}
	s, ok := back.(string)
	return ok && s == text
}

// Markdown renders docs/config.md: every setting with its default and meaning.
func Markdown() string {
	docs := fieldDocs()
	c := Default()
	var b strings.Builder
	b.WriteString("# Settings\n\n" +
		"<!-- Generated from internal/config/config.go by `make generate`; a test compares the two. -->\n\n" +
		"`waxwing serve --config waxwing.yaml` reads a YAML file; `--set key=value` (repeatable, on `dev`, `serve`, `migrate` and\n" +
		"`admin` too) overrides any setting by its dotted key. Unknown settings are refused, and all problems are reported at once.\n" +
		"`waxwing config defaults` prints a commented file to start from, `waxwing config check` judges one, and `waxwing config show`\n" +
		"prints what is in effect, with secrets masked.\n\n" +
		"Durations are written like `90s`, `15m` or `3h`, sizes like `64MiB` or `20GiB`. `waxwing dev` starts from the same defaults, but keeps its data in the user's\n" +
		"data directory, uses the secrets of the simulated WhatsApp, allows subscribers on private addresses and logs as text.\n\n" +
		"| Setting | Default | Meaning |\n|---|---|---|\n")
	for _, s := range c.settings() {
		key, def := s.key, format(s.value)
		if s.value.Kind() == reflect.Map {
			key, def = key+".<OperationName>", ""
		}
		if def != "" {
			def = "`" + def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, def, strings.ReplaceAll(docs[s.path], "\n", " "))
	}
	return b.String()
}

// fieldDocs returns the comment of every field by its path of Go names.
func fieldDocs() map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", source, parser.ParseComments)
	if err != nil {
		panic(err) // the compiler has read the same text
	}
	byType := map[string]*ast.StructType{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if st, ok := spec.Type.(*ast.StructType); ok {
				byType[spec.Name.Name] = st
			}
		}
		return true
	})
	docs := map[string]string{}
	var walk func(st *ast.StructType, path string)
	walk = func(st *ast.StructType, path string) {
		for _, f := range st.Fields.List {
			for _, name := range f.Names {
				if ident, ok := f.Type.(*ast.Ident); ok && byType[ident.Name] != nil {
					walk(byType[ident.Name], path+name.Name+".")
					continue
				}
				docs[path+name.Name] = strings.TrimSpace(f.Doc.Text())
			}
		}
	}
	walk(byType["Config"], "")
	return docs
}
