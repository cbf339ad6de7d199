// X_ACME: signs each request with the account's secret and the time.
//
// `Authorization: SIGNED id=KEY_ID, time=SECONDS, signature=BASE64`, where the signature is the
// HMAC-SHA256 (RFC 2104) of `KEY_ID.SECONDS` under the account's secret. An example to change: put in
// its place what your API asks for.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { now } from 'countersign:auth/context@0.1.0';
import type { Account, Authorizer, Refusal } from 'countersign:auth/types@0.1.0';

const KEY_ID = 'account/key_id';
const SECRET = 'account/secret';
/** Characters that a secret has at least: a shorter one was cut off when it was copied. */
const SHORTEST = 16;
/** What is longer is no key and no id; to hash it would take more time than a request has. */
const LONGEST = 1024;

export const authorizer: Authorizer = {
  // What it answers to, what people are asked for, and all that it asks leave for: it is shown no value
  // without a need to read it, and may touch nothing without a need to write it.
  describe() {
    const inputs = [
      { name: 'key_id', label: 'Key ID', required: true },
      { name: 'secret', label: 'Secret', required: true, secret: true },
    ];
    return {
      authTypes: ['X_ACME'],
      flows: [],
      needs: [
        ['read', KEY_ID],
        ['read', SECRET],
        ['write', 'header/authorization'],
      ],
      about: JSON.stringify({ title: 'acme-plugin', version: '0.1.0', inputs: { account: inputs } }),
    };
  },

  // Before the values of an account are saved; the host itself looks for missing ones.
  validate(account) {
    const secret = value(account, SECRET);
    return secret === undefined || fits(secret) ? [] : [unfit()];
  },

  // For each request. A refusal is thrown; it names the value at fault and never holds it, and nothing is
  // sent then.
  authorize(account) {
    const id = required(account, KEY_ID);
    const secret = required(account, SECRET);
    checkHeader(KEY_ID, id);
    if (id.length > LONGEST) {
      throw refusal(KEY_ID, 'a key id has 1024 characters at most');
    }
    if (!fits(secret)) {
      throw unfit();
    }
    const time = now() / 1000n;
    const signature = base64(hmac(sha256, bytes(secret), bytes(`${id}.${time}`)));
    const credential = `SIGNED id=${id}, time=${time}, signature=${signature}`;
    return {
      tag: 'ready',
      val: {
        edits: [{ tag: 'set-header', val: ['authorization', credential] }],
        // Seconds for which the host may use the answer again; with 0 it asks for every request.
        remember: 0,
        watches: [],
        memo: undefined,
        cursor: new Uint8Array(),
      },
    };
  },

  // It watches for no reply.
  replied() {
    return { next: { tag: 'deliver' }, memo: undefined };
  },
};

function value(account: Account, name: string): string | undefined {
  return account.values.find(([found]) => found === name)?.[1];
}

function required(account: Account, name: string): string {
  const found = value(account, name);
  if (!found) {
    throw refusal(name, 'it is missing');
  }
  return found;
}

/**
 * Refuses a value that no header can hold: control characters (RFC 9110, section 5.5), and what is more
 * than one byte in the contract's Latin-1. Without it the host refuses the answer, and names no value.
 */
function checkHeader(name: string, text: string): void {
  if (/[^\x20-\x7e\x80-\xff]/.test(text)) {
    throw refusal(name, 'this value holds a character that no header can carry');
  }
}

function refusal(field: string, message: string): Refusal {
  return { reason: 'invalid-config', field, message, retryAfter: undefined };
}

function fits(secret: string): boolean {
  return secret.length >= SHORTEST && secret.length <= LONGEST;
}

function unfit(): Refusal {
  return refusal(SECRET, 'a secret has 16 to 1024 characters');
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function base64(of: Uint8Array): string {
  return btoa(String.fromCharCode(...of));
}
