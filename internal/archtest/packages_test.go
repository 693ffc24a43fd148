package archtest

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryPackageIsDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for file := range sources(t) {
		dir := path.Dir(file)
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		documented[dir] = documented[dir] || parsed.Doc != nil && strings.TrimSpace(parsed.Doc.Text()) != ""
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// Tests that sleep on a real clock are slow or flaky; in a bubble of testing/synctest sleeping is free and exact.
func TestTestsSleepInBubblesOnly(t *testing.T) {
	t.Parallel()
	sleeps, bubbles := map[string]string{}, map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "archtest") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if bytes.Contains(text, []byte("time.Sleep(")) {
			sleeps[filepath.Dir(name)] = name
		}
		if bytes.Contains(text, []byte("synctest.Test(")) {
			bubbles[filepath.Dir(name)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, name := range sleeps {
		if !bubbles[dir] {
			t.Errorf("%s sleeps, and no test of its package uses testing/synctest", name)
		}
	}
}
