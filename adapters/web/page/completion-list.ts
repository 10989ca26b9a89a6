import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Suggestion, suggest } from './completion.ts';
import { html } from './html.ts';
import { get } from './server.ts';
import { me } from './session.ts';

const askAfterMs = 120;

/** What the line can become, by name at once, with its values a moment later. */
export function useSuggestions(text: string): Suggestion[] {
  const [values, setValues] = useState<{ line: string; values: readonly string[] }>({ line: '', values: [] });
  const wanted = text.startsWith('/') && !text.includes('\n') && text.length < 200;
  useEffect(() => {
    if (!wanted || !text.includes(' ')) return;
    let gone = false;
    const timer = setTimeout(() => {
      get<string[]>(`/api/complete?line=${encodeURIComponent(text.slice(1))}`).then(
        (found) => {
          if (!gone) setValues({ line: text, values: found });
        },
        () => undefined, // A convenience: without it one types.
      );
    }, askAfterMs);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [text, wanted]);
  if (!wanted) return [];
  const { admin = false, commands = [] } = me.value ?? {};
  const allowed = commands.filter((each) => admin || !each.admin);
  return suggest(text, allowed, values.line === text ? values.values : []);
}

interface ListProps {
  id: string;
  suggestions: readonly Suggestion[];
  chosen: number;
  onChoose(suggestion: Suggestion): void;
}

export function CompletionList({ id, suggestions, chosen, onChoose }: ListProps): ComponentChild {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  return html`<div class="completion" role="listbox" id=${id} aria-label="Commands" tabindex="0" ref=${list}>
    ${suggestions.map(
      (suggestion, at) => html`<div role="option" id=${`${id}-${at}`} aria-selected=${at === chosen}
        onMouseDown=${(event: MouseEvent) => {
          event.preventDefault();
          onChoose(suggestion);
        }}>
        <code>${suggestion.usage}</code> <span class="hint">${suggestion.help}</span>
      </div>`,
    )}
  </div>`;
}
