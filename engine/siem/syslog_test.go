package siem

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/cloudops-manager/cloudops/engine"
)

// messages parses messages with their lengths before them.
func messages(t *testing.T, r io.Reader) (list []*rfc5424.SyslogMessage) {
	t.Helper()
	for from := bufio.NewReader(r); ; {
		var n int
		if _, err := fmt.Fscanf(from, "%d ", &n); err != nil {
			return list
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(from, text); err != nil {
			t.Error(err)
			return list
		}
		list = append(list, message(t, text))
	}
}

func message(t *testing.T, text []byte) *rfc5424.SyslogMessage {
	t.Helper()
	m, err := rfc5424.NewParser().Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m.(*rfc5424.SyslogMessage)
}

func checkMessages(t *testing.T, list []*rfc5424.SyslogMessage, s engine.Shipment) {
	t.Helper()
	if len(list) != len(s.Events) {
		t.Fatalf("%d messages, want %d", len(list), len(s.Events))
	}
	for i, m := range list {
		e := s.Events[i]
		if *m.Priority != 13*8+5 || *m.MsgID != e.Action || !m.Timestamp.Equal(e.At) || (*m.StructuredData)["meta"]["sequenceId"] != fmt.Sprint(e.Seq) || *m.Message != string(e.Record()) {
			t.Errorf("message %+v", m)
		}
	}
}

func TestSyslogOverTCPAndTLS(t *testing.T) {
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate().Raw}))
	for scheme, listen := range map[string]func() (net.Listener, error){
		"tcp": func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		"tls": func() (net.Listener, error) {
			return tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: cert.TLS.Certificates})
		},
	} {
		t.Run(scheme, func(t *testing.T) {
			l, err := listen()
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			got := make(chan []*rfc5424.SyslogMessage, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				got <- messages(t, conn)
			}()
			s := shipment(2, 3)
			if err := ship(t, options(), engine.Forwarder{Address: scheme + "://" + l.Addr().String(), Config: engine.ForwarderConfig{CA: ca}}, s); err != nil {
				t.Fatal(err)
			}
			checkMessages(t, <-got, s)
		})
	}
}

func TestSyslogOverUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := shipment(0, 2)
	if err := ship(t, options(), engine.Forwarder{Address: "udp://" + conn.LocalAddr().String()}, s); err != nil {
		t.Fatal(err)
	}
	var list []*rfc5424.SyslogMessage
	for range s.Events {
		b := make([]byte, 1<<16)
		n, _, err := conn.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, message(t, b[:n]))
	}
	checkMessages(t, list, s)
}

// An event that fits no datagram would keep all that follow from being sent.
func TestALongEventIsCutOverUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := shipment(0, 1)
	long := *s.Events[0]
	long.Detail = []byte(`{"comment":"` + strings.Repeat("é", 50_000) + `"}`)
	s.Events[0] = &long
	if err := ship(t, options(), engine.Forwarder{Address: "udp://" + conn.LocalAddr().String()}, s); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1<<16)
	n, _, err := conn.ReadFrom(b)
	if err != nil || n < maxDatagram-4 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if m := message(t, b[:n]); !strings.HasPrefix(*m.Message, `{"action":"run.approve"`) {
		t.Errorf("it begins with %.40s", *m.Message)
	}
}
