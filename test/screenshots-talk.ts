/** What people talk about in the pictures of the README. */

interface Exchange {
  daysAgo: number;
  channel: string;
  who: string;
  text: string;
  answer: string;
  /** What remains of it in a summary. */
  fact: string;
}

const archive = 'picture archive';
const reading = 'reading group';

export const exchanges: readonly Exchange[] = [
  {
    daysAgo: 9,
    channel: archive,
    who: 'Ines',
    fact: 'Ines’ importer reads the old archive without losses, but needed four hours for 84,210 pictures.',
    text: 'The importer reads the old archive without losses now, but it needs four hours for all 84,210 pictures.',
    answer: 'Good: no losses, four hours. Do you know yet where the time goes?',
  },
  {
    daysAgo: 9,
    channel: archive,
    who: 'Tom',
    fact: 'Tom wants it under one hour before anybody else uses it; measure first, rewrite nothing before Wednesday.',
    text: 'I want it under one hour before anybody else uses it. Measure first, and rewrite nothing before Wednesday.',
    answer: 'Agreed: under one hour, measured first, nothing rewritten before Wednesday.',
  },
  {
    daysAgo: 8,
    channel: archive,
    who: 'Mira',
    fact: 'Mira has two offers for a second server: 1,140 euros a year with backups for thirty days, or 980 with seven.',
    text: 'Two offers for the second server: 1,140 euros a year with backups for thirty days, or 980 with seven days.',
    answer:
      'The difference is 160 euros a year. With seven days a mistake that is noticed a week later can no longer be undone.',
  },
  {
    daysAgo: 8,
    channel: archive,
    who: 'Tom',
    fact: 'Decided with Tom: the first one.',
    text: 'Then the first one. A lost week would cost us more than that.',
    answer: 'Decided: the offer for 1,140 euros, with backups for thirty days.',
  },
  {
    daysAgo: 7,
    channel: reading,
    who: 'Mira',
    fact: 'Chapters four to six for the 28th.',
    text: 'We read chapters four to six for the 28th. Who brings cake?',
    answer: 'Chapters four to six for the 28th. Last time Tom brought the cake, so it might be somebody else’s turn.',
  },
  {
    daysAgo: 6,
    channel: archive,
    who: 'Ines',
    fact: 'Ines found the slow part, one query for each picture: in batches of two hundred it needs 38 minutes.',
    text: 'Found it: it asked the database for each picture by itself. With batches of two hundred it needs 38 minutes.',
    answer: 'That is well under the hour Tom asked for.',
  },
  {
    daysAgo: 5,
    channel: archive,
    who: 'Ines',
    fact: 'On a copy of everything 12 pictures are damaged, as they were before.',
    text: 'Ran it on a copy of everything. 12 pictures are damaged, but they were damaged before.',
    answer: 'So the importer is not to blame. Should the people they belong to be told?',
  },
  {
    daysAgo: 5,
    channel: archive,
    who: 'Tom',
    fact: 'Tom writes to their owners. Open: the old address for one year or two.',
    text: 'I write to them. Still open: do we keep the old address of the archive for a year or for two?',
    answer: 'Noted: Tom writes to the owners of the 12 pictures. Open: the old address, one year or two.',
  },
  {
    daysAgo: 4,
    channel: reading,
    who: 'Ines',
    fact: 'Ines brings an apple cake.',
    text: 'I bring the cake. Apple, if nobody minds.',
    answer: 'Ines brings an apple cake on the 28th.',
  },
  {
    daysAgo: 2,
    channel: archive,
    who: 'Mira',
    fact: 'The library links to the archive and would like two years: so it is two years.',
    text: 'The library links to us from its catalogue and would like two years.',
    answer: 'Then two years it is, unless somebody objects. Their catalogue would otherwise lead nowhere.',
  },
  {
    daysAgo: 1,
    channel: archive,
    who: 'Tom',
    fact: 'Seven damaged pictures are replaced. Release on Friday at noon; Mira signs it off.',
    text: 'Nine of the twelve wrote back, seven sent new copies. Release on Friday at noon, Mira signs it off.',
    answer: 'Seven of twelve replaced. Release on Friday at noon; Mira signs it off.',
  },
  {
    daysAgo: 0,
    channel: archive,
    who: 'Ines',
    fact: '',
    text: 'I am writing the release notes. What did we decide about the importer, and how does the batching work?',
    answer: [
      'Decided, in the order it happened:',
      '',
      '1. **Under one hour** before anybody else uses it (Tom). It took four hours, and takes 38 minutes now.',
      '2. **Measured first**: the slow part was one query for each picture. Ines asks for two hundred at once:',
      '',
      '```python',
      'def batches(pictures, size=200):',
      '    """One query for many pictures, not one for each."""',
      '    for start in range(0, len(pictures), size):',
      '        yield pictures[start:start + size]',
      '```',
      '',
      '| run | pictures | minutes |',
      '|---|--:|--:|',
      '| before | 84,210 | 241 |',
      '| in batches | 84,210 | 38 |',
      '',
      'The 12 damaged pictures were damaged before; seven are replaced.',
    ].join('\n'),
  },
  {
    daysAgo: 0,
    channel: archive,
    who: 'Mira',
    fact: '',
    text: 'And the old address?',
    answer: 'It stays for **two years**: the library asked for that, because its catalogue links to it.',
  },
];

export const role = 'You help the archive team. Answer briefly, say who decided what, and say so when you do not know.';
