package runner

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cloudops-manager/cloudops/engine"
)

func testLog(t *testing.T, api API, secrets ...string) *logWriter {
	t.Helper()
	return openLog(api, slog.New(slog.DiscardHandler), t.TempDir(), &engine.Job{Mask: secrets})
}

// logAPI takes a log the way the server does, and fails as often as it is told.
type logAPI struct {
	API
	mu    sync.Mutex
	log   bytes.Buffer
	fails int
}

func (a *logAPI) AppendLog(_ context.Context, offset int64, data []byte) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	size := int64(a.log.Len())
	if offset > size {
		return size, engine.Conflict("a hole at %d", offset)
	}
	a.log.Write(data[min(size-offset, int64(len(data))):])
	if a.fails > 0 {
		a.fails--
		return 0, errors.New("the connection broke after the data was taken")
	}
	return int64(a.log.Len()), nil
}

func TestLogArrivesWholeAndOnceThroughOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &logAPI{fails: 5}
		l := testLog(t, api)
		var want strings.Builder
		for i := range 2000 {
			fmt.Fprintf(&want, "line %d\n", i)
			fmt.Fprintf(l, "line %d\n", i)
		}
		fmt.Fprint(l, "the end, without a newline")
		want.WriteString("the end, without a newline")
		l.Close(t.Context())
		if api.log.String() != want.String() {
			t.Errorf("%d bytes arrived of %d", api.log.Len(), want.Len())
		}
	})
}

func TestLogGoesOnInMemoryWhereTheDiskTakesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &logAPI{fails: 5}
		l := testLog(t, api, "hunter2")
		fmt.Fprint(l, "on disk\n")
		l.refuseWrites(t)
		fmt.Fprint(l, "in memory, with hunter2\n")
		fmt.Fprint(l, strings.Repeat("x", 2*maxChunk)+"\n")
		l.Close(t.Context())
		if want := "on disk\nin memory, with (sensitive)\n" + strings.Repeat("x", 2*maxChunk) + "\n"; api.log.String() != want {
			t.Errorf("%d bytes arrived of %d", api.log.Len(), len(want))
		}
	})
}

// refuseWrites has the log's file take no more, as on a full disk.
func (l *logWriter) refuseWrites(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	readOnly, err := os.Open(l.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	l.file.Close()
	l.file = readOnly
}

func TestSecretsAreMaskedWhereverTheyAreCut(t *testing.T) {
	tests := map[string]struct {
		secrets []string
		write   []string
		want    string
	}{
		"a plain secret":                   {[]string{"hunter2"}, []string{"pw hunter2!\n"}, "pw (sensitive)!\n"},
		"one that comes in two writes":     {[]string{"hunter2"}, []string{"pw hun", "ter2\n"}, "pw (sensitive)\n"},
		"one of several lines":             {[]string{"first-line\nsecond-line"}, []string{"a first-line\nb second-line\n"}, "a (sensitive)\nb (sensitive)\n"},
		"one within another":               {[]string{"abcd", "abcdefgh"}, []string{"x abcdefgh\n"}, "x (sensitive)\n"},
		"one that JSON spells otherwise":   {[]string{`se"cret`}, []string{`{"p":"se\"cret"}` + "\n"}, `{"p":"(sensitive)"}` + "\n"},
		"one in base64":                    {[]string{"hunter2-hunter2"}, []string{base64.StdEncoding.EncodeToString([]byte("hunter2-hunter2")) + "\n"}, "(sensitive)\n"},
		"one in a header":                  {[]string{"hunter2-hunter2"}, []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("ada:hunter2-hunter2")) + "\n"}, "Basic YWRhOm(sensitive)g==\n"},
		"several lines in base64":          {[]string{"-----BEGIN-----\nfirst?line>\n"}, []string{base64.URLEncoding.EncodeToString([]byte("x-----BEGIN-----\nfirst?line>\n")) + "\n"}, "eC(sensitive)go=\n"},
		"one in an address":                {[]string{"p@ss/w rd"}, []string{"pg://u:p%40ss%2Fw%20rd@db ?p=p%40ss%2Fw+rd\n"}, "pg://u:(sensitive)@db ?p=(sensitive)\n"},
		"what is too short stays readable": {[]string{"a"}, []string{"banana\n"}, "banana\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api := &logAPI{}
			l := testLog(t, api, tt.secrets...)
			for _, w := range tt.write {
				fmt.Fprint(l, w)
			}
			l.Close(t.Context())
			if api.log.String() != tt.want {
				t.Errorf("log = %q, want %q", api.log.String(), tt.want)
			}
		})
	}
}
