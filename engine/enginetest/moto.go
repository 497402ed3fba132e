package enginetest

import (
	"bufio"
	"encoding/xml"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// MotoServer is a fake AWS in a process of its own. Each one starts empty.
type MotoServer struct {
	URL string // of every service
}

// Moto starts a fake AWS that lives as long as the test. A provider that is to
// talk to it needs s3_use_path_style, as buckets have no host names there.
func Moto(t testing.TB) *MotoServer {
	t.Helper()
	exe := Need(t, "moto_server", `pipx install "moto[server]"`)
	// Port 0 lets the system choose; the server says on stderr which it got,
	// once it listens.
	cmd := exec.Command(exe, "-H", "127.0.0.1", "-p", "0")
	// Roles attach policies that AWS itself keeps.
	cmd.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // gone already is as good
		_ = cmd.Wait()
	})
	url, said := listening(stderr)
	if url == "" {
		t.Fatalf("moto_server ended before it listened:\n%s", said)
	}
	return &MotoServer{URL: url}
}

// listening reads what a starting server says until it names its address. From
// then on its log is read and dropped, or the server would block on a full
// pipe.
func listening(stderr io.Reader) (url, said string) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		said += lines.Text() + "\n"
		if _, url, ok := strings.Cut(lines.Text(), "Running on "); ok {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return strings.TrimSpace(url), said
		}
	}
	return "", said
}

// Buckets lists the names of the S3 buckets that there are.
func (m *MotoServer) Buckets() ([]string, error) {
	res, err := http.Get(m.URL) // S3 is what answers without a signature
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var list struct {
		Buckets []string `xml:"Buckets>Bucket>Name"`
	}
	return list.Buckets, xml.NewDecoder(res.Body).Decode(&list)
}

// Env returns the variables that point an AWS client at the server, as
// "NAME=value".
func (m *MotoServer) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + m.URL,
		"AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test",
		"AWS_REGION=eu-west-1",
		"AWS_DEFAULT_REGION=eu-west-1",
		"AWS_EC2_METADATA_DISABLED=true", // no search for an instance's role
	}
}
