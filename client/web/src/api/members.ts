/** Members of the organization and the links that invite them. */
import type { Role } from '../wire/roomEvent';
import { type Client, newIdempotencyKey } from './client';

export interface Invitation {
  readonly url: string;
  readonly expires_at: string;
}

interface InvitedMember {
  readonly name: string;
  readonly role: Role;
  readonly invitation: Invitation | null;
}

/** Makes somebody a member; answers the one-use link that signs them in. */
export async function inviteMember(client: Client, name: string, role: Role): Promise<Invitation | null> {
  const { data } = await client.send<InvitedMember>({
    method: 'POST',
    path: '/members',
    body: { name, role },
    idempotencyKey: newIdempotencyKey(),
  });
  return data.invitation;
}
