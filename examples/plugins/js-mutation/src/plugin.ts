// The mutation `pasted`: what people paste with a value goes. Blanks around it, and ahead of it the word
// that the option `without` names, in whatever spelling: `{"token": {"mutation": "pasted", "options":
// {"without": "Bearer"}}}` makes `t-1` of ` bearer t-1`.

import type { Entry, Mutator, Refusal } from 'countersign:auth/types@0.1.0';

const WITHOUT = 'without';
/** What is longer is nothing that anybody pastes. */
const LONGEST = 8192;

export const mutator: Mutator = {
  describe() {
    const without = { name: WITHOUT, label: 'The word to take away ahead of it', required: false };
    return JSON.stringify({ name: 'pasted', title: 'As it was pasted', version: '0.1.0', reads: [], options: [without] });
  },

  // The target alone goes back, under the name that it came with.
  mutate(values, options) {
    const [target] = values;
    if (!target) {
      throw refusal('invalid-request', undefined, 'there is no value to change');
    }
    const [name, text] = target;
    if (text.length > LONGEST) {
      throw refusal('invalid-config', name, 'it has 8192 characters at most');
    }
    const found = shortened(text.trim(), options);
    if (found === '') {
      throw refusal('invalid-config', name, 'nothing is left of it');
    }
    return [[name, found]];
  },
};

function shortened(text: string, options: Entry[]): string {
  const other = options.find(([name]) => name !== WITHOUT);
  if (other) {
    throw refusal('invalid-config', other[0], 'there is no such option');
  }
  const word = `${options[0]?.[1] ?? ''} `;
  const begins = word !== ' ' && text.slice(0, word.length).toLowerCase() === word.toLowerCase();
  return begins ? text.slice(word.length).trimStart() : text;
}

function refusal(reason: Refusal['reason'], field: string | undefined, message: string): Refusal {
  return { reason, field, message, retryAfter: undefined };
}
