/**
 * @file passwd.h  The caller's password, from a file
 *
 * Never from the command line, where every user of the machine could read it.
 */
#ifndef CALL_PASSWD_H
#define CALL_PASSWD_H

/**
 * @param passp  Out, libre object; wipe it before mem_deref()
 * @param file   Lines "user:password"; or just one line, the bare password
 * @param user   Whose
 *
 * @return 0 if success, ENOENT if the user is not in the file, otherwise errno
 */
int passwd_read(char **passp, const char *file, const char *user);

#endif
