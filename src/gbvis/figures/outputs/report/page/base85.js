// Bytes in text, and unpacked.

// RFC 1924's alphabet, as Python's `base64.b85encode` has it, but for a comma where it has `<`: this text stands in HTML.
const BASE85_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_\u0060{|}~";

const BASE85_DIGITS = makeBase85Digits();

/** @returns {Uint8Array} the digit of each character code below 128; 255 where there is none */
function makeBase85Digits() {
  const digits = new Uint8Array(128).fill(255);
  for (let digit = 0; digit < BASE85_ALPHABET.length; digit += 1) {
    digits[BASE85_ALPHABET.charCodeAt(digit)] = digit;
  }
  return digits;
}

/**
 * The bytes that a text in base 85 stands for.
 *
 * Five characters are four bytes. Of a last group of k characters, k - 1 bytes are kept, as Python does it.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function decodeBase85(text) {
  const whole = text.length - (text.length % 5);
  const rest = text.length - whole;
  const bytes = new Uint8Array((whole / 5) * 4 + Math.max(rest - 1, 0));
  let place = 0;
  for (let start = 0; start < whole; start += 5) {
    const word = readBase85Group(text, start);
    bytes[place] = word >>> 24;
    bytes[place + 1] = word >>> 16;
    bytes[place + 2] = word >>> 8;
    bytes[place + 3] = word;
    place += 4;
  }
  if (rest > 1) {
    const word = readBase85Group(text.slice(whole).padEnd(5, "~"), 0);
    for (let index = 0; index < rest - 1; index += 1) {
      bytes[place + index] = word >>> (24 - 8 * index);
    }
  }
  return bytes;
}

/**
 * @param {string} text
 * @param {number} start
 * @returns {number} the 32 bits of five characters
 */
function readBase85Group(text, start) {
  let word = BASE85_DIGITS[text.charCodeAt(start)];
  word = word * 85 + BASE85_DIGITS[text.charCodeAt(start + 1)];
  word = word * 85 + BASE85_DIGITS[text.charCodeAt(start + 2)];
  word = word * 85 + BASE85_DIGITS[text.charCodeAt(start + 3)];
  return word * 85 + BASE85_DIGITS[text.charCodeAt(start + 4)];
}

/**
 * What zlib (RFC 1950) packed, unpacked by the browser itself.
 *
 * @param {Uint8Array<ArrayBuffer>} packed
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflate(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * The bytes that Base64 stands for.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function decodeBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
