package blueprint

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// tarGz is an archive of entries with content of their sizes.
func tarGz(t testing.TB, entries func(tw *tar.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	tw := tar.NewWriter(gz)
	entries(tw)
	tw.Close()
	gz.Close()
	return b.Bytes()
}

func tarEntry(tw *tar.Writer, name string, kind byte, content string) {
	tw.WriteHeader(&tar.Header{Name: name, Typeflag: kind, Size: int64(len(content)), Mode: 0o644, Linkname: "/etc/passwd"})
	tw.Write([]byte(content))
}

func zipArchive(names ...string) []byte {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for _, name := range names {
		w, _ := zw.Create(name)
		w.Write([]byte("x"))
	}
	zw.Close()
	return b.Bytes()
}

// zipBomb has one entry that unpacks to more than is taken.
func zipBomb() []byte {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	w, _ := zw.Create("main.tf")
	for range maxArchive>>20 + 1 {
		w.Write(make([]byte, 1<<20))
	}
	zw.Close()
	return b.Bytes()
}

func TestArchivesOfModulesThatMeanHarm(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	tests := map[string]struct {
		untar []byte
		unzip []byte
		want  string
	}{
		"a path out":          {untar: tarGz(t, func(tw *tar.Writer) { tarEntry(tw, "../../evil", tar.TypeReg, "x") }), want: "leads out of it"},
		"an absolute path":    {untar: tarGz(t, func(tw *tar.Writer) { tarEntry(tw, "/etc/cron.d/evil", tar.TypeReg, "x") }), want: "leads out of it"},
		"a path out of a zip": {unzip: zipArchive("a/../../evil"), want: "leads out of it"},
		"a name for nobody":   {untar: tarGz(t, func(tw *tar.Writer) { tarEntry(tw, strings.Repeat("a", 300), tar.TypeReg, "x") }), want: "which no file system takes"},
		"a file as a folder": {untar: tarGz(t, func(tw *tar.Writer) {
			tarEntry(tw, "a", tar.TypeReg, "x")
			tarEntry(tw, "a/b", tar.TypeReg, "x")
		}), want: "a file and a folder"},
		"a zip that unpacks to too much": {unzip: zipBomb(), want: "unpacks to more than"},
		"a tar that unpacks to too much": {untar: tarGz(t, func(tw *tar.Writer) {
			for i := range maxArchive>>20 + 1 {
				tarEntry(tw, fmt.Sprint(i), tar.TypeReg, big)
			}
		}), want: "unpacks to more than"},
		"a tar of too much that is left out": {untar: tarGz(t, func(tw *tar.Writer) {
			for i := range maxArchiveStream>>20 + 1 {
				tarEntry(tw, fmt.Sprint(i), tar.TypeCont, big)
			}
		}), want: "unpacks to more than"},
		"too many entries": {untar: tarGz(t, func(tw *tar.Writer) {
			for i := range maxArchiveEntries + 1 {
				tarEntry(tw, fmt.Sprint(i), tar.TypeSymlink, "")
			}
		}), want: "more than 20000 entries"},
		"too many entries of a zip": {unzip: zipArchive(slices.Collect(func(yield func(string) bool) {
			for i := range maxArchiveEntries + 1 {
				yield(fmt.Sprint(i))
			}
		})...), want: "more than 20000 entries"},
		"too many folders": {untar: tarGz(t, func(tw *tar.Writer) {
			tarEntry(tw, strings.Repeat("a/", maxArchiveEntries)+"x", tar.TypeReg, "")
		}), want: "more than 20000 entries"},
		"no archive": {untar: []byte("hello"), want: "no tar.gz"},
		"no zip":     {unzip: []byte("hello"), want: "no zip"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			around := t.TempDir()
			into := filepath.Join(around, "in")
			if err := os.Mkdir(into, 0o700); err != nil {
				t.Fatal(err)
			}
			unpack, data := untar, tt.untar
			if tt.unzip != nil {
				unpack, data = unzip, tt.unzip
			}
			if err := unpack(data, into); !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
			if all, _ := os.ReadDir(around); len(all) != 1 {
				t.Errorf("it wrote beside the folder: %v", all)
			}
		})
	}
}

// The library keeps all that a zip says of its entries in memory, before any is looked at.
func TestAZipOfTooManyEntriesIsNotReadAtAll(t *testing.T) {
	data := append(bytes.Repeat(directoryHeader, maxArchiveEntries+1), zipArchive("a")...)
	if err := unzip(data, t.TempDir()); !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), "more than 20000 entries") {
		t.Errorf("error = %v", err)
	}
}

func TestLinksAndDevicesOfAnArchiveAreLeftOut(t *testing.T) {
	into := t.TempDir()
	err := untar(tarGz(t, func(tw *tar.Writer) {
		for _, kind := range []byte{tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo} {
			tarEntry(tw, "x"+string(kind), kind, "")
		}
		tarEntry(tw, "main.tf", tar.TypeReg, "x")
	}), into)
	all, _ := os.ReadDir(into)
	if err != nil || len(all) != 1 || all[0].Name() != "main.tf" {
		t.Errorf("%v, %v", all, err)
	}
}

// FuzzArchive holds that whatever comes from elsewhere stays below its folder,
// and is refused as the fault of who sent it.
func FuzzArchive(f *testing.F) {
	f.Add(tarGz(f, func(tw *tar.Writer) { tarEntry(tw, "a/main.tf", tar.TypeReg, "x") }))
	f.Add(tarGz(f, func(tw *tar.Writer) { tarEntry(tw, "../x", tar.TypeSymlink, "") }))
	f.Add(zipArchive("a/main.tf", "b/../c"))
	f.Add(zipArchive("../x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, unpack := range []func([]byte, string) error{untar, unzip} {
			around := t.TempDir()
			into := filepath.Join(around, "in")
			if err := os.Mkdir(into, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := unpack(data, into); err != nil && !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("error = %v, want ErrInvalid", err)
			}
			if all, _ := os.ReadDir(around); len(all) != 1 {
				t.Errorf("it wrote beside the folder: %v", all)
			}
		}
	})
}

// FuzzUnpack holds that a bundle is a tree of plain files that packs again, or
// refused.
func FuzzUnpack(f *testing.F) {
	good, err := Tree{"stack.hcl": {Data: []byte("x")}, "a/run.sh": {Data: []byte("y"), Executable: true}}.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, kind := range []byte{tar.TypeReg, tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeFifo, tar.TypeXGlobalHeader, tar.TypeGNUSparse} {
		f.Add(tarGz(f, func(tw *tar.Writer) { tarEntry(tw, "../../x", kind, "") }))
		f.Add(tarGz(f, func(tw *tar.Writer) { tarEntry(tw, "x", kind, "") }))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := Unpack(data)
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("error = %v, want ErrInvalid", err)
			}
			return
		}
		for name := range tree {
			if !filepath.IsLocal(name) || name == "." {
				t.Errorf("it holds %q", name)
			}
		}
		packed, err := tree.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Unpack(packed); err != nil || len(again) != len(tree) {
			t.Errorf("%d files of %d, %v", len(again), len(tree), err)
		}
	})
}
