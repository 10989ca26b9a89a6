import { signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { FormDialog, TextField } from './form-dialog.ts';
import { html } from './html.ts';
import { command } from './sending.ts';
import { me } from './session.ts';
import type { Talk } from './talk.ts';

/** Whether it is open. */
export const settingRole = signal(false);

interface RoleProps {
  talk: Talk;
  role: string;
  preset: string | undefined;
  onClose(): void;
}

/** What the bot is in this conversation: words of one's own, or a preset. */
export function RoleDialog({ talk, role, preset, onClose }: RoleProps): ComponentChild {
  const [text, setText] = useState(role);
  const [chosen, setChosen] = useState(preset ?? '');
  const { presets = [], defaults } = me.value ?? {};
  const submit = async () => {
    if (chosen !== '') await command(talk, `role preset ${chosen}`);
    else if (text.trim() === '' || text.trim() === defaults?.role) await command(talk, 'role clear');
    else await command(talk, `role set ${text.trim()}`);
  };
  const onPreset = (event: Event) => {
    if (event.target instanceof HTMLSelectElement) setChosen(event.target.value);
  };
  return html`<${FormDialog} title="The bot’s role here" action="Save" onSubmit=${submit} onClose=${onClose}>
    ${
      presets.length === 0
        ? ''
        : html`<label class="field">Preset
            <select class="input" value=${chosen} onChange=${onPreset}>
              <option value="">Custom (write it below)</option>
              ${presets.map(({ name, description }) => html`<option value=${name}>${name}: ${description}</option>`)}
            </select>
          </label>`
    }
    ${
      chosen === ''
        ? html`<${TextField} label="Role" rows=${6} value=${text} onValue=${setText}
      hint="Sent before everything else, and never dropped. Everybody here sees that it changed." />`
        : ''
    }
    <div class="button-row"><button type="button" class="button small" onClick=${() => {
      setChosen('');
      setText(defaults?.role ?? '');
    }}>Use the default role</button></div>
  <//>`;
}
