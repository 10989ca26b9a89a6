/** Takes a speaker's prefix off the beginning of an answer: some models copy the form of the messages they read. */

const longestPrefix = 24;
const prefix = /^\s*\[?assistant\]?\s*:\s*/i;
const mayBecomePrefix = /^\[?a?s?s?i?s?t?a?n?t?\]?(\s*:)?$/i;

export function createOpening(): { push(text: string): string; rest(): string } {
  let held: string | undefined = '';
  return {
    push(text) {
      if (held === undefined) return text;
      held += text;
      if (held.length < longestPrefix && mayBecomePrefix.test(held.trim())) return '';
      const opened = held.replace(prefix, '');
      held = undefined;
      return opened;
    },
    rest() {
      const opened = (held ?? '').replace(prefix, '');
      held = undefined;
      return opened;
    },
  };
}
