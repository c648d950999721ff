package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// TLSName is the name that the certificate of MakeCertificates is for.
const TLSName = "temporal"

// MakeCertificates fills a folder with what a server and its clients need to know each
// other for a day: ca.pem, and signed by it server.pem and client.pem with their keys,
// server-key.pem and client-key.pem.
func MakeCertificates(dir string) error {
	authority, key, err := certificate("Keyholder test authority", nil, nil)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, "ca.pem"), "CERTIFICATE", authority.Raw); err != nil {
		return err
	}
	for _, name := range []string{"server", "client"} {
		cert, own, err := certificate(TLSName, authority, key)
		if err != nil {
			return err
		}
		encoded, err := x509.MarshalPKCS8PrivateKey(own)
		if err != nil {
			return err
		}
		err = errors.Join(
			writePEM(filepath.Join(dir, name+".pem"), "CERTIFICATE", cert.Raw),
			writePEM(filepath.Join(dir, name+"-key.pem"), "PRIVATE KEY", encoded))
		if err != nil {
			return err
		}
	}
	return nil
}

// certificate makes one that is signed by an authority, or by itself where there is none:
// then it is an authority.
func certificate(name string, authority *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	wanted := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if authority == nil {
		wanted.IsCA, wanted.KeyUsage = true, x509.KeyUsageCertSign
		authority, signer = wanted, key
	} else {
		wanted.DNSNames, wanted.IPAddresses = []string{name}, []net.IP{net.IPv4(127, 0, 0, 1)}
		wanted.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	raw, err := x509.CreateCertificate(rand.Reader, wanted, authority, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, err
	}
	made, err := x509.ParseCertificate(raw)
	return made, key, err
}

func writePEM(path, kind string, content []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600)
}
