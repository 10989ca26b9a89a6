import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { FormDialog, TextField } from './form-dialog.ts';
import { html } from './html.ts';
import { me, rename } from './session.ts';

export function NameDialog({ onClose }: { onClose(): void }): ComponentChild {
  const [name, setName] = useState(me.value?.person.name ?? '');
  return html`<${FormDialog} title="Your name" action="Save" onSubmit=${() => rename(name.trim())} onClose=${onClose}>
    <${TextField} label="Name" hint="How others see you here, and how you are remembered." value=${name}
      maxLength=${me.value?.limits.nameChars} onValue=${setName} />
  <//>`;
}
