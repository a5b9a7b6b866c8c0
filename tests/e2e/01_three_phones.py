"""Three foreign phones meet through the factory and hear each other"""
import capture
import phones


def main(env):
    phones.conference(env, env.server())


if __name__ == '__main__':
    capture.run(main)
