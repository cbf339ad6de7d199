// X_LOGIN: a user name and a password are exchanged for a session, which requests then carry.
//
// `POST login_url` with `{"user": …, "password": …}` gives `{"session": …, "expires_in": SECONDS}`, and
// requests have `Authorization: Session …`. A 401 of the API, or the end of that time, leads to another
// login.

import type {
  Account,
  Authorizer,
  Flow,
  HttpResponse,
  Refusal,
  State,
} from 'countersign:auth/types@0.1.0';

const USER = 'account/username';
const PASSWORD = 'account/password';
const LOGIN = 'pattern/login_url';
const SESSION = 'state/session';
/** Longer than any of them is. */
const LONGEST = 1024;
/** The answer depends on the state alone; the host forgets it when that changes. */
const REMEMBER_SECONDS = 3600;
const NOTHING = new Uint8Array();

export const authorizer: Authorizer = {
  describe() {
    const account = [
      { name: 'username', label: 'User name', required: true },
      { name: 'password', label: 'Password', required: true, secret: true },
    ];
    const pattern = [{ name: 'login_url', label: 'Where to log in', required: true }];
    return {
      authTypes: ['X_LOGIN'],
      flows: ['renew'],
      needs: [
        ['read', USER],
        ['read', PASSWORD],
        ['read', LOGIN],
        ['read', SESSION],
        ['write', 'header/authorization'],
        ['write', SESSION],
        ['fetch', LOGIN],
      ],
      about: JSON.stringify({ title: 'login', version: '0.1.0', inputs: { account, pattern } }),
    };
  },

  validate() {
    return [];
  },

  // A session past its end is never used by the host, so that there is nothing to compare here.
  authorize(account) {
    const session = value(account, SESSION);
    if (session === undefined) {
      return { tag: 'renew', val: NOTHING };
    }
    return {
      tag: 'ready',
      val: {
        edits: [{ tag: 'set-header', val: ['authorization', `Session ${session}`] }],
        remember: REMEMBER_SECONDS,
        watches: [{ status: 401, headers: [], body: 0 }],
        memo: undefined,
        cursor: NOTHING,
      },
    };
  },

  // Only a 401 is watched for: the session is no longer good.
  replied() {
    return { next: { tag: 'renew', val: NOTHING }, memo: undefined };
  },
};

// What the host is to fetch is an answer; what came of it, the next call's argument.
export const flow: Flow = {
  begin(account, purpose) {
    if (purpose.tag !== 'renew') {
      throw refusal('invalid-request', 'there is no such flow');
    }
    const login = { user: required(account, USER), password: required(account, PASSWORD) };
    return {
      tag: 'fetch',
      val: {
        request: {
          method: 'POST',
          url: required(account, LOGIN),
          headers: [['content-type', 'application/json'], ['accept', 'application/json']],
          body: new TextEncoder().encode(JSON.stringify(login)),
        },
        clientCertificate: undefined,
        cursor: NOTHING,
      },
    };
  },

  resume(_account, event) {
    if (event.tag !== 'response') {
      throw refusal('unavailable', 'no answer has come back');
    }
    const reply = event.val;
    // Never what the server wrote: it may repeat the password.
    if ([400, 401, 403].includes(reply.status)) {
      throw refusal('reauthorize', 'the login was refused', PASSWORD);
    }
    const kept = reply.status === 200 ? state(reply) : undefined;
    if (!kept) {
      throw refusal('unavailable', 'the login does not work at the moment');
    }
    return { tag: 'done', val: kept };
  },
};

/** What is kept, where the answer holds a session that a header can carry. */
function state(reply: HttpResponse): State | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(reply.body));
  } catch {
    return undefined;
  }
  const { session, expires_in: seconds } = Object(answer) as Record<string, unknown>;
  if (typeof session !== 'string' || !/^[\x21-\x7e]{1,1024}$/.test(session)) {
    return undefined;
  }
  const known = Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) < 2 ** 32;
  return {
    secrets: [['session', session]],
    attributes: [],
    renewAfter: undefined,
    expiresAfter: known ? (seconds as number) : undefined,
  };
}

function value(account: Account, name: string): string | undefined {
  return account.values.find(([found]) => found === name)?.[1];
}

function required(account: Account, name: string): string {
  const text = value(account, name);
  if (!text || text.length > LONGEST) {
    throw refusal('invalid-config', 'it has 1 to 1024 characters', name);
  }
  return text;
}

function refusal(reason: Refusal['reason'], message: string, field?: string): Refusal {
  return { reason, field, message, retryAfter: undefined };
}
