// X_TWO_PLACES: `x-caller: BASE64(app_id:user)`, and the account's key as `api_key` in the query.

import type { Account, Authorizer, Refusal } from 'countersign:auth/types@0.1.0';

const APP = 'account/app_id';
const USER = 'account/user';
const KEY = 'account/api_key';
/** Longer than any of them is. */
const LONGEST = 256;
/** The answer depends on the account's values alone; the host forgets it when they change. */
const REMEMBER_SECONDS = 3600;

export const authorizer: Authorizer = {
  describe() {
    const inputs = [
      { name: 'app_id', label: 'App ID', required: true },
      { name: 'user', label: 'User', required: true },
      { name: 'api_key', label: 'API key', required: true, secret: true },
    ];
    return {
      authTypes: ['X_TWO_PLACES'],
      flows: [],
      needs: [
        ['read', APP],
        ['read', USER],
        ['read', KEY],
        ['write', 'header/x-caller'],
        ['write', 'query/api_key'],
      ],
      about: JSON.stringify({ title: 'two-places', version: '0.1.0', inputs: { account: inputs } }),
    };
  },

  validate(account) {
    return account.values.flatMap(([name, text]) => problem(name, text) ?? []);
  },

  authorize(account) {
    const [app, user, key] = [APP, USER, KEY].map((name) => required(account, name));
    return {
      tag: 'ready',
      val: {
        edits: [
          { tag: 'set-header', val: ['x-caller', btoa(`${app}:${user}`)] },
          { tag: 'set-query', val: ['api_key', key!] },
        ],
        remember: REMEMBER_SECONDS,
        watches: [],
        memo: undefined,
        cursor: new Uint8Array(),
      },
    };
  },

  replied() {
    return { next: { tag: 'deliver' }, memo: undefined };
  },
};

function required(account: Account, name: string): string {
  const text = account.values.find(([found]) => found === name)?.[1] ?? '';
  const found = problem(name, text);
  if (found) {
    throw found;
  }
  return text;
}

function problem(name: string, text: string): Refusal | undefined {
  const refuse = (message: string): Refusal => ({
    reason: 'invalid-config',
    field: name,
    message,
    retryAfter: undefined,
  });
  if (text.length === 0 || text.length > LONGEST) {
    return refuse('it has 1 to 256 characters');
  }
  if (!/^[\x21-\x7e]+$/.test(text)) {
    return refuse('it has no blanks, and no characters beyond ASCII');
  }
  // Base64 would hide which of the two it belongs to.
  return name === APP && text.includes(':') ? refuse('it has no colon') : undefined;
}
