package blueprint

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPackTakesWhatBelongsToAStack(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"stack.hcl": "x", "web/main.tf": "y", "web/.terraform.lock.hcl": "lock", "run.sh": "#!/bin/sh",
		".git/config": "", "web/.terraform/modules/a": "", "web/terraform.tfstate": "secret", "web/terraform.tfstate.backup": "secret",
		"node_modules/a/b.js": "", ".cloudops/git/x/main.tf": "", "notes.md": "", "docs/big.png": "", "web/debug.log": "",
		".cloudopsignore": "# not needed\n*.md\n/docs/\nweb/*.log\n",
	})
	if err := os.Chmod(filepath.Join(dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("web/main.tf", filepath.Join(dir, "link.tf")); err != nil {
		t.Fatal(err)
	}

	packed, err := Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".cloudopsignore", "link.tf", "run.sh", "stack.hcl", "web/.terraform.lock.hcl", "web/main.tf"}
	if diff := cmp.Diff(want, tree.names()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if !tree["run.sh"].Executable || tree["stack.hcl"].Executable || string(tree["link.tf"].Data) != "y" {
		t.Errorf("tree = %v", tree)
	}
	if again, err := Pack(dir); err != nil || !bytes.Equal(packed, again) {
		t.Errorf("packing twice gives different bytes, error %v", err)
	}
}

func TestPackRefusesWhatLeadsOutOrIsTooMuch(t *testing.T) {
	tests := map[string]struct {
		prepare func(dir string) error
		wantErr string
	}{
		"a symlink that leads outside": {func(dir string) error { return os.Symlink("/etc/passwd", dir+"/a.tf") }, "a.tf is a symlink to /etc/passwd"},
		"a symlink to nothing":         {func(dir string) error { return os.Symlink("gone", dir+"/a.tf") }, "a.tf is a symlink to gone"},
		"a symlink to a folder":        {func(dir string) error { return os.Symlink(".", dir+"/a") }, "a is not a file"},
		"a file that is too large":     {func(dir string) error { return os.WriteFile(dir+"/a", make([]byte, MaxFile+1), 0o644) }, "at most 1 MB"},
		"a broken ignore file":         {func(dir string) error { return os.WriteFile(dir+"/.cloudopsignore", []byte("a\n!b"), 0o644) }, ".cloudopsignore:2:"},
		"sources that are too large": {func(dir string) error {
			for _, name := range strings.Split("abcdefghijk", "") {
				if err := os.WriteFile(dir+"/"+name, make([]byte, MaxFile), 0o644); err != nil {
					return err
				}
			}
			return nil
		}, "more than 10 MB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.prepare(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Pack(dir)
			wantInvalid(t, err, tt.wantErr)
		})
	}
	_, err := Pack(filepath.Join(t.TempDir(), "gone"))
	wantInvalid(t, err, "cannot be read as a folder")
}

// entry is a header with its content for a bundle made by hand.
type entry struct {
	tar.Header
	content string
}

func handmade(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	tw := tar.NewWriter(gz)
	for _, e := range entries {
		e.Mode = 0o644
		e.Size = int64(len(e.content))
		if err := tw.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func file(name, content string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeReg}, content}
}

func link(kind byte, name, target string) entry {
	return entry{tar.Header{Name: name, Typeflag: kind, Linkname: target}, ""}
}

func TestBundlesThatAttackAreRefused(t *testing.T) {
	ok := file("stack.hcl", `stack "s" {}`)
	many := []entry{ok}
	for range MaxEntries {
		many = append(many, entry{tar.Header{Name: "d/", Typeflag: tar.TypeDir}, ""})
	}
	large := []entry{ok}
	for range MaxSource / MaxFile {
		large = append(large, file("f"+itoa(int64(len(large))), strings.Repeat("x", MaxFile)))
	}
	tests := map[string]struct {
		bundle  []byte
		wantErr string
	}{
		"a path that leads up":            {handmade(t, ok, file("../evil", "x")), "leads out"},
		"a path that leads up inside":     {handmade(t, ok, file("a/../../evil", "x")), "leads out"},
		"an absolute path":                {handmade(t, ok, file("/etc/cron.d/evil", "x")), "leads out"},
		"a path of another system":        {handmade(t, ok, file(`a\..\..\evil`, "x")), "leads out"},
		"a name with a control character": {handmade(t, ok, file("a\nb", "x")), "unusable name"},
		"a symlink":                       {handmade(t, ok, link(tar.TypeSymlink, "a", "/etc")), "link or a device"},
		"a hard link":                     {handmade(t, ok, link(tar.TypeLink, "a", "stack.hcl")), "link or a device"},
		"a device":                        {handmade(t, ok, link(tar.TypeChar, "a", "")), "link or a device"},
		"a pipe":                          {handmade(t, ok, link(tar.TypeFifo, "a", "")), "link or a device"},
		"a name that comes twice":         {handmade(t, ok, file("./stack.hcl", "x")), "twice"},
		"a file that is a folder too":     {handmade(t, ok, file("a", "x"), file("a/b", "x")), "both as a file and as a folder"},
		"a folder that is a file too":     {handmade(t, ok, file("a/b", "x"), file("a", "x")), "twice"},
		"a file that is too large":        {handmade(t, ok, file("a", strings.Repeat("x", MaxFile+1))), "at most 1 MB"},
		"files that are too much":         {handmade(t, large...), "more than 10 MB"},
		"too many entries":                {handmade(t, many...), "more than 10000 files"},
		"a stream without an end":         {endless(t), "unpacks to more than"},
		"11 MB":                           {make([]byte, 11<<20), "at most 10 MB"},
		"no gzip":                         {[]byte("hello"), "not a tar.gz"},
		"no tar":                          {zipped(t, strings.Repeat("hello", 1000)), "not a tar.gz"},
		"a bundle that is cut short":      {handmade(t, ok)[:60], "cut short"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()

			err := Extract(tt.bundle, filepath.Join(parent, "bundle"))

			wantInvalid(t, err, tt.wantErr)
			if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, error %v", left, err)
			}
			_, _, err = testCompiler().Compile(t.Context(), tt.bundle, nil, engine.Pins{})
			wantInvalid(t, err, tt.wantErr)
		})
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	if _, err := io.WriteString(gz, text); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// endless is a small bundle whose headers alone unpack to far more than the
// limit, without any of them being an entry.
func endless(t *testing.T) []byte {
	t.Helper()
	var one bytes.Buffer
	tw := tar.NewWriter(&one)
	header := tar.Header{Name: "a", Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{"X.a": strings.Repeat("x", 1<<19)}}
	if err := tw.WriteHeader(&header); err != nil {
		t.Fatal(err)
	}
	extended := one.Bytes()[:one.Len()-512] // without the entry it belongs to
	return zipped(t, strings.Repeat(string(extended), 100))
}

func TestExtractWritesWhatWasPacked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	packed, err := Tree{"stack.hcl": {Data: []byte("x")}, "a/b/run.sh": {Data: []byte("y"), Executable: true}}.Pack()
	if err != nil {
		t.Fatal(err)
	}

	if err := Extract(packed, dir); err != nil {
		t.Fatal(err)
	}

	for name, mode := range map[string]fs.FileMode{"stack.hcl": 0o644, "a/b/run.sh": 0o755} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, error %v", name, info.Mode(), err)
		}
	}
	if err := Extract(packed, dir); err == nil {
		t.Error("a folder that is there already was replaced")
	}
}

func TestASubmissionMayBeHCLAlone(t *testing.T) {
	packed, err := PackFiles(map[string][]byte{"stack.hcl": []byte(`stack "s" {}`)})
	if err != nil {
		t.Fatal(err)
	}
	bp, kept, err := testCompiler().Compile(t.Context(), packed, nil, engine.Pins{})
	if err != nil || bp.Name != "s" || !bytes.Equal(kept, packed) {
		t.Errorf("blueprint = %+v, error = %v", bp, err)
	}
	_, err = PackFiles(map[string][]byte{"../stack.hcl": nil})
	wantInvalid(t, err, "leads out")
	_, _, err = testCompiler().Compile(t.Context(), handmade(t), nil, engine.Pins{})
	wantInvalid(t, err, "no stack.hcl")
	_, _, err = testCompiler().Compile(t.Context(), handmade(t, file("stack.hcl", "")), nil, engine.Pins{})
	wantInvalid(t, err, "No stack block")
}

func TestOutline(t *testing.T) {
	o, err := Outline(handmade(t, file("stack.hcl", "stack \"s\" {\n wrong = 1\n}\nalso_wrong {}\nvariable \"a\" { sensitive = true }\nvariable \"b\" {}\n")))
	if o.Stack != "s" || len(o.Variables) != 2 || !o.Variables["a"] || o.Variables["b"] || err != nil {
		t.Errorf("outline = %v, error = %v", o, err)
	}
	_, err = Outline(handmade(t, file("stack.hcl", "stack {}\n")))
	wantInvalid(t, err, "Missing name")
}
