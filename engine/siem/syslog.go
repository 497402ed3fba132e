package siem

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/cloudops-manager/cloudops/engine"
)

// syslog sends a message of RFC 5424 an event, with its record as the text:
// datagrams over UDP (RFC 5426), and with their lengths before them over TCP
// (RFC 6587, section 3.4.1) and TLS (RFC 5425).
type syslog struct {
	network, address string
	tls              *tls.Config // nil for none
	dial             func(ctx context.Context, network, address string) (net.Conn, error)
	host             string
}

// ports are those of the schemes. Sources: RFC 5426, 6587 and 5425.
var ports = map[string]string{"udp": "514", "tcp": "601", "tls": "6514"}

func newSyslog(u *url.URL, trust *tls.Config, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*syslog, error) {
	if u.Path != "" || u.RawQuery != "" {
		return nil, engine.Invalid("a syslog address is a host and a port only, as in tls://logs.example.com:6514")
	}
	s := &syslog{network: u.Scheme, address: u.Host, dial: dial}
	if u.Port() == "" {
		s.address = net.JoinHostPort(u.Hostname(), ports[u.Scheme])
	}
	if u.Scheme == "tls" {
		s.network, s.tls = "tcp", &tls.Config{MinVersion: tls.VersionTLS12}
		if trust != nil {
			s.tls = trust.Clone()
		}
		s.tls.ServerName = u.Hostname()
	}
	if name, err := os.Hostname(); err == nil {
		s.host = name
	}
	return s, nil
}

// maxDatagram is how much of a message, in bytes, goes by UDP: a longer one is cut,
// as a datagram that does not fit would be tried for ever. Source: RFC 5426, section 3.2.
const maxDatagram = 60_000

// shipTime bounds the sending of a shipment.
const shipTime = 30 * time.Second

// Ship implements engine.Shipper. Syslog does not answer: that the connection
// was taken and closed in order is all that can be known.
func (s *syslog) Ship(ctx context.Context, shipment engine.Shipment) error {
	ctx, cancel := context.WithTimeout(ctx, shipTime)
	defer cancel()
	conn, err := s.dial(ctx, s.network, s.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if s.tls != nil {
		conn = tls.Client(conn, s.tls)
	}
	for _, e := range shipment.Events {
		if err := s.send(conn, e); err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	return finish(conn)
}

func (s *syslog) send(conn net.Conn, e *engine.Event) error {
	text, err := s.message(e)
	if err != nil {
		return err
	}
	if s.network == "tcp" {
		text = strconv.Itoa(len(text)) + " " + text
	} else if len(text) > maxDatagram {
		text = strings.ToValidUTF8(text[:maxDatagram], "")
	}
	_, err = io.WriteString(conn, text)
	return err
}

// Facility and severities of messages. Source: RFC 5424, section 6.2.1.
const (
	facilityAudit   = 13
	severityWarning = 4
	severityNotice  = 5
)

func (s *syslog) message(e *engine.Event) (string, error) {
	severity := uint8(severityNotice)
	if strings.HasSuffix(e.Action, ".refused") {
		severity = severityWarning
	}
	m := &rfc5424.SyslogMessage{}
	m.SetPriority(facilityAudit*8 + severity).SetVersion(1).SetTimestamp(e.At.UTC().Format("2006-01-02T15:04:05.000000Z"))
	m.SetHostname(s.host).SetAppname("cloudops").SetMsgID(e.Action[:min(len(e.Action), 32)])
	m.SetParameter("meta", "sequenceId", strconv.FormatInt((e.Seq-1)%(1<<31-1)+1, 10)) // section 7.3.1
	m.SetMessage(string(e.Record()))
	return m.String()
}

// finish tells the other end that this is all, and looks whether it had
// something against that.
func finish(conn net.Conn) error {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		return nil // datagrams have no end
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
