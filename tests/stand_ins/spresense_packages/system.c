/* Stand-in for the SDK's libapps.a: the start, and the calls of the system that are used. */
int spresense_main(int argc, char *argv[]);
void __start(void);

void __start(void) { spresense_main(0, 0); }

#define NOTHING(name) int name(void) { return 0; } int name(void)
NOTHING(boardctl);
NOTHING(clock_gettime);
NOTHING(cfsetspeed);
NOTHING(cxd56_get_cpu_baseclk);
NOTHING(nxsched_get_stackinfo);
NOTHING(open);
NOTHING(poll);
NOTHING(read);
NOTHING(tcgetattr);
NOTHING(tcsetattr);
NOTHING(usleep);
NOTHING(write);
NOTHING(_sbrk); /* under the C library's malloc, which has the system's heap on the board */
