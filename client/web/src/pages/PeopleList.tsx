import { Avatar } from '../parts/Avatar';
import type { Person } from '../presence/people';

export interface PeopleListProps {
  readonly people: readonly Person[];
  /** The client id of this tab. */
  readonly ownClientId: number;
}

/** Who is in the room, each person once, with their role and their tabs. */
export function PeopleList({ people, ownClientId }: PeopleListProps) {
  return (
    <aside className="people" aria-label="People in this room">
      <h2>
        In this room <span className="people-count">{people.length}</span>
      </h2>
      <ul data-testid="people">
        {people.map((person) => (
          <li key={person.userId} data-testid="person" data-name={person.name} data-role={person.role ?? undefined}>
            <Avatar name={person.name} color={person.color} />
            <span className="people-name" title={person.name}>
              {person.name}
              {person.isYou && <span className="people-you"> (you)</span>}
            </span>
            <span className="people-role">{about(person, ownClientId)}</span>
          </li>
        ))}
      </ul>
    </aside>
  );
}

function about({ role, isYou, tabs }: Person, ownClientId: number): string {
  const others = isYou ? tabs.filter(({ clientId }) => clientId !== ownClientId).length : tabs.length - 1;
  if (others <= 0) return role ?? '';
  const words = isYou ? `${others} other ${others === 1 ? 'tab' : 'tabs'}` : `${tabs.length} tabs`;
  return role ? `${role} · ${words}` : words;
}
