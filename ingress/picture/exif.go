package picture

import (
	"encoding/binary"
	"image"
)

// jpegHead is what the segments before the pixels tell.
type jpegHead struct {
	// orientation is EXIF's: 1 for upright, to 8.
	orientation int
	progressive bool
	// samples is how many bytes a pixel has in all planes, rounded up.
	samples int
}

// readJPEG reads the segments up to the pixels. ok is false where there is no frame
// or something stands between the segments: no camera writes that.
func readJPEG(data []byte) (head jpegHead, ok bool) {
	head.orientation = 1
	if len(data) < 4 || data[0] != 0xff || data[1] != 0xd8 {
		return head, false
	}
	rest := data[2:]
	const most = 2000 // a profile or a preview takes some dozens
	for range most {
		for len(rest) > 1 && rest[0] == 0xff && rest[1] == 0xff {
			rest = rest[1:] // padding
		}
		if len(rest) < 4 || rest[0] != 0xff {
			return head, false
		}
		marker, length := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		switch {
		case marker == 0xda: // the pixels begin
			return head, head.samples > 0
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd7: // without a length
			rest = rest[2:]
			continue
		case length < 2 || len(rest) < 2+length:
			return head, false
		}
		segment := rest[4 : 2+length]
		switch {
		case marker == 0xe1 && head.orientation == 1:
			head.orientation = orientationOf(segment)
		case marker >= 0xc0 && marker <= 0xc2:
			head.progressive = marker == 0xc2
			head.samples = samplesOf(segment)
		}
		rest = rest[2+length:]
	}
	return head, false
}

// samplesOf is how many bytes a pixel has, from a frame's header: 2 for 4:2:0.
func samplesOf(frame []byte) int {
	const fixed = 6 // precision, height, width, number of components
	if len(frame) < fixed {
		return 0
	}
	n := int(frame[5])
	if n < 1 || n > 4 || len(frame) < fixed+3*n {
		return 0
	}
	all, widest, tallest := 0, 1, 1
	for i := range n {
		across, down := int(frame[fixed+3*i+1]>>4), int(frame[fixed+3*i+1]&15)
		all += across * down
		widest, tallest = max(widest, across), max(tallest, down)
	}
	if n == 1 {
		return 1
	}
	return (all + widest*tallest - 1) / (widest * tallest)
}

// orientationOf reads the one tag of an EXIF segment that matters, 1 where there is
// none.
func orientationOf(segment []byte) int {
	const prefix = "Exif\x00\x00"
	if len(segment) < len(prefix)+8 || string(segment[:len(prefix)]) != prefix {
		return 1
	}
	tiff := segment[len(prefix):]
	var order binary.ByteOrder = binary.BigEndian
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
	default:
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range int(order.Uint16(tiff[at:])) {
		const size, orientation, short = 12, 0x0112, 3
		if len(entries) < size {
			return 1
		}
		if order.Uint16(entries) == orientation && order.Uint16(entries[2:]) == short {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[size:]
	}
	return 1
}

// upright turns and mirrors a picture as EXIF's orientation says.
func upright(m *image.RGBA, orientation int) *image.RGBA {
	if orientation <= 1 || orientation > 8 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	across, down := w, h
	if orientation >= 5 {
		across, down = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, across, down))
	for y := range h {
		for x := range w {
			var to image.Point
			switch orientation {
			case 2:
				to = image.Pt(w-1-x, y)
			case 3:
				to = image.Pt(w-1-x, h-1-y)
			case 4:
				to = image.Pt(x, h-1-y)
			case 5:
				to = image.Pt(y, x)
			case 6:
				to = image.Pt(h-1-y, x)
			case 7:
				to = image.Pt(h-1-y, w-1-x)
			default: // 8
				to = image.Pt(y, w-1-x)
			}
			copy(out.Pix[out.PixOffset(to.X, to.Y):][:4], m.Pix[m.PixOffset(x, y):][:4])
		}
	}
	return out
}
