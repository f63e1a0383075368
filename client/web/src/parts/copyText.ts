/**
 * Copies text. The clipboard of the browser is for secure pages only; on a plain-HTTP address of a local network the
 * selection of an input is copied instead.
 */
export async function copyText(text: string, input: HTMLInputElement | HTMLTextAreaElement): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  input.select();
  if (!document.execCommand('copy')) throw new Error('the browser did not copy');
}
