import { Component, type ComponentChild } from 'preact';
import { AnswerView } from './answer-view.ts';
import type { Entry, Said } from './entries.ts';
import { html } from './html.ts';
import { MessageView } from './message-view.ts';
import { SaidView } from './said-view.ts';
import type { Talk } from './talk.ts';

export interface EntryProps {
  talk: Talk;
  entry: Entry;
  /** It follows something of the same person shortly before. */
  joined: boolean;
  /** The newest answer: what it offers is still of use. */
  newest: boolean;
  /** Of a message without an answer: what was said of that, where it is still known. */
  failure: Said | undefined;
}

/** Drawn again only when the entry is another: a long conversation costs nothing while one answer grows. */
export class EntryView extends Component<EntryProps> {
  override shouldComponentUpdate(next: EntryProps): boolean {
    const { talk, entry, joined, newest, failure } = this.props;
    const isSame = next.entry === entry && next.joined === joined && next.newest === newest && next.talk === talk;
    return !isSame || next.failure !== failure;
  }

  override render({ talk, entry, joined, newest, failure }: EntryProps): ComponentChild {
    switch (entry.kind) {
      case 'message':
        return html`<${MessageView} talk=${talk} message=${entry} joined=${joined} failure=${failure} />`;
      case 'answer':
        return html`<${AnswerView} talk=${talk} answer=${entry} newest=${newest} />`;
      case 'said':
        return html`<${SaidView} talk=${talk} said=${entry} />`;
    }
  }
}
