/** Commands as they are typed here: what the core calls `/role show` is `/channelore role show` to Slack's people. */

export const slashName = '/channelore';

interface Named {
  path: readonly string[];
}

/** Of what the core says. What it quotes, in a quotation or in a fence, is somebody else's and stays as it is. */
export function inSlackWords(text: string, commands: readonly Named[]): string {
  const firsts = [...new Set(commands.map(({ path }) => path[0] ?? ''))].join('|');
  const whole = commands.map(({ path }) => path.join(' ')).join('|');
  const typed = new RegExp(`(^|[\\s(\`])/(?=(?:${firsts})(?:[\\s\`.,;:?!)]|$))`, 'g');
  const named = new RegExp(`\`(${whole})\``, 'g');
  let fenced = false;
  const lines = text.split('\n').map((line) => {
    const isFence = line.startsWith('```');
    if (isFence) fenced = !fenced;
    if (isFence || fenced || line.startsWith('>')) return line;
    return line.replace(typed, `$1${slashName} `).replace(named, `\`${slashName} $1\``);
  });
  return lines.join('\n');
}

/** The other way round: who has read it so may say it so after a mention, where Slack has no slash commands. */
export function asCommand(text: string): string {
  const [first = '', ...rest] = text.split(/\s+/, 2);
  if (first.toLowerCase() !== slashName) return text;
  return rest.join('') === '' ? '/help' : `/${text.slice(first.length).trim().replace(/^\//, '')}`;
}
