import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client';

/** What an MCP tool answered, as text for the model; what is no text is named. */

const maxChars = 16_000;

export function resultText({ content, structuredContent, isError }: CallToolResult): string {
  const parts = content.map(blockText).filter((part) => part !== '');
  if (parts.length === 0 && structuredContent !== undefined) parts.push(JSON.stringify(structuredContent));
  const text = shortened(parts.join('\n'));
  return isError === true ? `The tool reported an error:\n${text}` : text;
}

function blockText(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `[${block.type}: ${block.mimeType}, ${sizeOf(block.data)}; it cannot be shown here]`;
    case 'resource_link':
      return `[link: ${block.name} ${block.uri}]`;
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return `[${resource.uri}]\n${resource.text}`;
      return `[file: ${resource.uri}, ${resource.mimeType ?? 'unknown kind'}, ${sizeOf(resource.blob)}]`;
    }
  }
}

function sizeOf(base64: string): string {
  return `${Math.ceil((base64.length * 3) / 4 / 1024)} KB`;
}

function shortened(text: string): string {
  if (text.length <= maxChars) return text;
  return `${text.slice(0, maxChars).toWellFormed()}\n[cut: it had ${text.length} characters]`;
}
