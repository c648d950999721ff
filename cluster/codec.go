package cluster

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

const (
	// EncodingEncrypted is the encoding that marks an encrypted payload.
	EncodingEncrypted = "binary/encrypted"
	// MetadataKeyID names the metadata entry that says which key was used.
	MetadataKeyID = "encryption-key-id"

	keySize = 32
	maxKeys = 16
)

// ErrUnknownKey is what decoding returns for a payload that was encrypted with a
// key that is not configured here, or no longer.
var ErrUnknownKey = errors.New("payload was encrypted with a key that is not configured")

// ErrTampered is what decoding returns for an encrypted payload that was changed
// or cut, or whose key has the right id and the wrong value.
var ErrTampered = errors.New("payload cannot be decrypted: it was changed, or its key has another value")

// Keys encrypt payloads. The first one encrypts, all of them decrypt, so a key is
// replaced by putting the new one in front and keeping the old one until the
// last history that used it has left retention. The zero value has no keys and
// leaves payloads plain.
type Keys struct {
	first string
	seals map[string]cipher.AEAD
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ParseKeys reads KEYHOLDER_PAYLOAD_KEYS: "id:base64,id2:base64", newest first,
// each the standard base64 of 32 random bytes. The empty text means no
// encryption. All mistakes are reported at once, none with key material.
func ParseKeys(text string) (Keys, error) {
	if strings.TrimSpace(text) == "" {
		return Keys{}, nil
	}
	entries := strings.Split(text, ",")
	if len(entries) > maxKeys {
		return Keys{}, fmt.Errorf("%d payload keys, at most %d can be live", len(entries), maxKeys)
	}
	keys := Keys{seals: map[string]cipher.AEAD{}}
	var problems []error
	for i, entry := range entries {
		id, seal, err := parseKey(entry)
		if err == nil && keys.seals[id] != nil {
			err = fmt.Errorf("its id %q was used before", id)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("payload key %d: %w", i+1, err))
			continue
		}
		if keys.first == "" {
			keys.first = id
		}
		keys.seals[id] = seal
	}
	if len(problems) > 0 {
		return Keys{}, errors.Join(problems...)
	}
	return keys, nil
}

func parseKey(entry string) (string, cipher.AEAD, error) {
	id, encoded, found := strings.Cut(strings.TrimSpace(entry), ":")
	if !found {
		return "", nil, errors.New("write it as id:base64")
	}
	if !keyID.MatchString(id) {
		return "", nil, errors.New("its id must be 1 to 64 letters, digits, dots, dashes or underscores")
	}
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", nil, fmt.Errorf("%q is not standard base64; make one with: openssl rand -base64 %d", id, keySize)
	}
	if len(secret) != keySize {
		return "", nil, fmt.Errorf("%q has %d bytes, needed are %d; make one with: openssl rand -base64 %d", id, len(secret), keySize, keySize)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return "", nil, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	return id, seal, err
}

// Live tells whether payloads are encrypted.
func (k Keys) Live() bool { return k.first != "" }

// Codec encrypts and decrypts payloads with AES-256-GCM. The key's id is part of
// what is authenticated. Decoding passes payloads through that are not encrypted,
// so encryption can be switched on for a cluster that has running workflows.
func (k Keys) Codec() converter.PayloadCodec { return codec{k} }

// Converters are what a client, worker or replayer needs to read and write
// private payloads. With keys, error messages and stack traces are encrypted too.
func (k Keys) Converters() (converter.DataConverter, converter.FailureConverter) {
	data := converter.GetDefaultDataConverter()
	if k.Live() {
		data = converter.NewCodecDataConverter(data, k.Codec())
	}
	return data, temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: data, EncodeCommonAttributes: k.Live(),
	})
}

type codec struct{ keys Keys }

// Encode encrypts every payload with the first key.
func (c codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if !c.keys.Live() {
		return payloads, nil
	}
	sealed := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encrypt payload: %w", err)
		}
		sealed[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(EncodingEncrypted),
				MetadataKeyID:              []byte(c.keys.first),
			},
			Data: c.keys.seals[c.keys.first].Seal(nil, nil, plain, associated(c.keys.first)),
		}
	}
	return sealed, nil
}

// Decode decrypts what is encrypted. The error is ErrUnknownKey or ErrTampered.
func (c codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	opened := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != EncodingEncrypted {
			opened[i] = p
			continue
		}
		id := string(p.GetMetadata()[MetadataKeyID])
		seal := c.keys.seals[id]
		if seal == nil {
			return nil, fmt.Errorf("%w: key id %q", ErrUnknownKey, id)
		}
		plain, err := seal.Open(nil, nil, p.GetData(), associated(id))
		if err != nil {
			return nil, fmt.Errorf("%w: key id %q", ErrTampered, id)
		}
		opened[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, opened[i]); err != nil {
			return nil, fmt.Errorf("%w: key id %q", ErrTampered, id)
		}
	}
	return opened, nil
}

// associated binds the ciphertext to its purpose and to the key's id.
func associated(id string) []byte { return []byte(EncodingEncrypted + "\x00" + id) }
