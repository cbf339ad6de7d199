// The contract of wit/, as TypeScript. Its documentation is there.

declare module 'countersign:auth/types@0.1.0' {
  export type Entry = [name: string, value: string];

  export interface Account {
    values: Entry[];
    memo: Uint8Array;
  }
  export interface HttpRequest {
    method: string;
    url: string;
    headers: Entry[];
    body: Uint8Array;
  }
  export interface HttpResponse {
    status: number;
    headers: Entry[];
    body: Uint8Array;
  }
  export type Reason =
    | 'invalid-config'
    | 'reauthorize'
    | 'denied'
    | 'unavailable'
    | 'invalid-request';
  /** Thrown, by a function of which the contract says `result<…, refusal>`. */
  export interface Refusal {
    reason: Reason;
    field: string | undefined;
    message: string;
    retryAfter: number | undefined;
  }

  // countersign:auth/authorizer@0.1.0

  export interface Descriptor {
    authTypes: string[];
    flows: string[];
    needs: Entry[];
    about: string;
  }
  export type BodyView =
    | { tag: 'unseen'; val: bigint | undefined }
    | { tag: 'digest'; val: Uint8Array }
    | { tag: 'bytes'; val: Uint8Array };
  export interface RequestView {
    method: string;
    url: string;
    headers: Entry[];
    body: BodyView;
  }
  export type Edit =
    | { tag: 'set-header'; val: Entry }
    | { tag: 'append-header'; val: Entry }
    | { tag: 'remove-header'; val: string }
    | { tag: 'set-query'; val: Entry }
    | { tag: 'append-query'; val: Entry }
    | { tag: 'set-cookie'; val: Entry }
    | { tag: 'set-path'; val: string }
    | { tag: 'set-origin'; val: string }
    | { tag: 'set-body'; val: Uint8Array }
    | { tag: 'client-certificate'; val: Entry }
    | { tag: 'own-connection' };
  export interface Watch {
    status: number | undefined;
    headers: string[];
    body: number;
  }
  export interface Ready {
    edits: Edit[];
    remember: number;
    watches: Watch[];
    memo: Uint8Array | undefined;
    cursor: Uint8Array;
  }
  export type Outcome =
    | { tag: 'ready'; val: Ready }
    | { tag: 'show'; val: string[] }
    | { tag: 'renew'; val: Uint8Array };
  export type Next =
    | { tag: 'deliver' }
    | { tag: 'again'; val: Uint8Array }
    | { tag: 'renew'; val: Uint8Array };
  export interface Reaction {
    next: Next;
    memo: Uint8Array | undefined;
  }
  export interface Authorizer {
    describe(): Descriptor;
    validate(account: Account): Refusal[];
    authorize(account: Account, request: RequestView | undefined, cursor: Uint8Array): Outcome;
    replied(account: Account, reply: HttpResponse, cursor: Uint8Array): Reaction;
  }

  // countersign:auth/flow@0.1.0

  export interface Grant {
    redirectUri: string;
    stateToken: string;
  }
  export type Purpose =
    | { tag: 'setup' }
    | { tag: 'grant'; val: Grant }
    | { tag: 'renew'; val: Uint8Array }
    | { tag: 'revoke' };
  export interface Fetch {
    request: HttpRequest;
    clientCertificate: Entry | undefined;
    cursor: Uint8Array;
  }
  export interface Prompt {
    url: string;
    code: string | undefined;
  }
  export interface Pause {
    prompt: Prompt | undefined;
    callback: Entry | undefined;
    seconds: number | undefined;
    cursor: Uint8Array;
  }
  export interface State {
    secrets: Entry[];
    attributes: Entry[];
    renewAfter: number | undefined;
    expiresAfter: number | undefined;
  }
  export type Step =
    | { tag: 'fetch'; val: Fetch }
    | { tag: 'pause'; val: Pause }
    | { tag: 'done'; val: State };
  export type Event =
    | { tag: 'response'; val: HttpResponse }
    | { tag: 'failed'; val: string }
    | { tag: 'callback'; val: Entry[] }
    | { tag: 'elapsed' };
  /** Exported as `flow` by a plugin whose `world` is `flow-plugin`. */
  export interface Flow {
    begin(account: Account, purpose: Purpose): Step;
    resume(account: Account, event: Event, cursor: Uint8Array): Step;
  }

  // countersign:auth/mutator@0.1.0

  /** Exported as `mutator` by a plugin whose `world` is `mutation-plugin`. */
  export interface Mutator {
    describe(): string;
    mutate(values: Entry[], options: Entry[]): Entry[];
  }
}

declare module 'countersign:auth/context@0.1.0' {
  export type Level = 'debug' | 'info' | 'warn';
  export function now(): bigint;
  export function random(len: number): Uint8Array;
  export function log(level: Level, message: string): void;
}

// What the engine has of the Web's interfaces, as far as plugins have a use for it.
declare function atob(data: string): string;
declare function btoa(data: string): string;
declare class TextEncoder {
  encode(text?: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array): string;
}
declare class URLSearchParams {
  constructor(init?: string | [string, string][] | Record<string, string>);
  append(name: string, value: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  delete(name: string): void;
  sort(): void;
  toString(): string;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}
declare class URL {
  constructor(url: string, base?: string);
  readonly origin: string;
  protocol: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
}
